// Asks for attributes and gets answers, none, or too late ones (ThingsBoard Device API).

import { EventField, EventKind, Stat, Status } from "../../../assembly/abi";
import { poll } from "../../../assembly/thingsboard/device";
import { requestAttributes } from "../../../assembly/thingsboard/request";
import { configure, connect, eventId, eventReason, eventText, layOut, pollOn, stat } from "../device";
import { arrive, putText, set_clock, take_sent, textAt } from "../host";

const PACKET = memory.data(256, 8);

function ask(timeoutMs: i32): i32 {
  return requestAttributes(layOut('{"clientKeys":"a,b"}'), timeoutMs);
}

function answered(id: i32, payload: string): i32 {
  const topicLength = putText(PACKET + 4, "v1/devices/me/attributes/response/" + id.toString());
  const length = topicLength + putText(PACKET + 4 + topicLength, payload);
  store<u32>(PACKET, 0x30 | ((length + 2) << 8) | (topicLength << 24));
  arrive(PACKET, length + 4);
  return pollOn();
}

describe("requestAttributes", () => {
  test("a session with room for two", () => {
    expect<i32>(configure('{"mqtt_host":"h","rpc":false,"shared_attributes":false,"qos":0,"max_requests":2,"keep_alive_s":0}')).toBe(Status.Ok);
    expect<i32>(connect()).toBe(EventKind.Connected);
  });
  test("times that are none", () => {
    expect<i32>(ask(0)).toBe(Status.InvalidValue);
    expect<i32>(ask(-1)).toBe(Status.InvalidValue);
    expect<i32>(ask(86400001)).toBe(Status.InvalidValue);
  });
  test("a record that is no object takes no room", () => {
    for (let count = 0; count < 3; count++) expect<i32>(requestAttributes(layOut("[]"), 1000)).toBe(Status.InvalidValue);
  });
  test("the id is in the topic, the record is the payload", () => {
    expect<i32>(ask(500)).toBe(1);
    poll();
    const length = take_sent(PACKET);
    expect<string>(textAt(PACKET + 4, length - 4)).toBe('v1/devices/me/attributes/request/1{"clientKeys":"a,b"}');
  });
  test("no more than there is room for", () => {
    expect<i32>(ask(86400000)).toBe(2);
    expect<i32>(ask(1000)).toBe(Status.Full);
  });
  test("an answer names its request and makes room, once", () => {
    expect<i32>(answered(2, '{"client":{"a":1}}')).toBe(EventKind.AttributesResponse);
    expect<i32>(eventId()).toBe(2);
    expect<string>(eventText(EventField.Payload)).toBe('{"client":{"a":1}}');
    expect<i32>(answered(2, "{}")).toBe(EventKind.None);
    expect<i32>(ask(1000)).toBe(3);
  });
  test("the first to run out of time is the first event", () => {
    const timeouts = stat(Stat.RequestTimeouts);
    set_clock(1499);
    expect<i32>(pollOn()).toBe(EventKind.None);
    set_clock(1500);
    expect<i32>(pollOn()).toBe(EventKind.RequestTimeout);
    expect<i32>(eventId()).toBe(1);
    expect<i32>(eventReason()).toBe(Status.Timeout);
    expect<i32>(pollOn()).toBe(EventKind.None);
    set_clock(2000);
    expect<i32>(pollOn()).toBe(EventKind.RequestTimeout);
    expect<i32>(eventId()).toBe(3);
    expect<u32>(stat(Stat.RequestTimeouts) - timeouts).toBe(2);
  });
  test("an answer that comes too late is none", () => {
    expect<i32>(answered(1, "{}")).toBe(EventKind.None);
    expect<i32>(ask(1000)).toBe(4);
  });
});
