// Asks for attributes, calls the server and gets answers, none, or too late ones (ThingsBoard Device API).

import { EventField, EventKind, Member, MemberField, Stat, Status } from "../../../assembly/abi";
import { poll } from "../../../assembly/thingsboard/device";
import { requestAttributes, requestRpc } from "../../../assembly/thingsboard/request";
import { configure, connect, eventId, eventReason, eventText, layOut, pollOn, staging, stat } from "../device";
import { arrive, putText, set_clock, take_sent, textAt } from "../host";

const PACKET = memory.data(256, 8);

function ask(timeoutMs: i32): i32 {
  return requestAttributes(layOut('{"clientKeys":"a,b"}'), timeoutMs);
}

/** Lays out an object with one text; the bytes of the record. */
function layOutText(key: string, text: string): i32 {
  const at = staging();
  store<u64>(at, <u64>Member.ObjectBegin);
  store<u32>(at, 0, 8);
  store<u32>(at, <u32>Member.Text | (key.length << 16), 12);
  store<i64>(at, text.length, 12 + MemberField.Number);
  const value = at + 24 + ((putText(at + 24, key) + 3) & ~3);
  const end = value + ((putText(value, text) + 3) & ~3);
  store<u64>(end, <u64>Member.End);
  store<u32>(end, 0, 8);
  return <i32>(end - at) + 12;
}

function answered(id: i32, payload: string, topic: string = "v1/devices/me/attributes/response/"): i32 {
  const topicLength = putText(PACKET + 4, topic + id.toString());
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

describe("requestRpc", () => {
  test("what was asked before has left", () => {
    poll();
    expect<bool>(take_sent(PACKET) > 0).toBe(true);
  });
  test("a record without a method, or with another member first, is not sent", () => {
    expect<i32>(requestRpc(layOutText("methods", "m"), 1000)).toBe(Status.MissingKey);
    expect<i32>(requestRpc(layOutText("params", "m"), 1000)).toBe(Status.MissingKey);
    expect<i32>(requestRpc(layOut('{"method":"m"}'), 1000)).toBe(Status.MissingKey);
    expect<i32>(requestRpc(1 << 20, 1000)).toBe(Status.InvalidValue);
    expect<i32>(requestRpc(layOutText("method", "m"), 0)).toBe(Status.InvalidValue);
    poll();
    expect<i32>(take_sent(PACKET)).toBe(0);
  });
  test("ids go on from those of the attribute requests, and the first call subscribes to the answers", () => {
    expect<i32>(requestRpc(layOutText("method", "getTime"), 1000)).toBe(5);
    poll();
    const length = take_sent(PACKET);
    const filter = "v1/devices/me/rpc/response/+";
    expect<u8>(load<u8>(PACKET)).toBe(0x82);
    expect<string>(textAt(PACKET + 6, filter.length)).toBe(filter);
    const publish = PACKET + 7 + filter.length;
    expect<string>(textAt(publish + 4, <i32>(PACKET + length - publish) - 4)).toBe('v1/devices/me/rpc/request/5{"method":"getTime"}');
  });
  test("an answer to the same number of the other family settles nothing", () => {
    expect<i32>(answered(5, "{}")).toBe(EventKind.None);
    expect<i32>(answered(4, "{}", "v1/devices/me/rpc/response/")).toBe(EventKind.None);
    expect<i32>(answered(5, '{"error":"timeout"}', "v1/devices/me/rpc/response/")).toBe(EventKind.RpcResponse);
    expect<i32>(eventId()).toBe(5);
    expect<i32>(eventReason()).toBe(Status.RemoteError);
    expect<string>(eventText(EventField.Payload)).toBe('{"error":"timeout"}');
    expect<i32>(answered(4, "{}")).toBe(EventKind.AttributesResponse);
  });
  test("the second call does not subscribe again", () => {
    expect<i32>(requestRpc(layOutText("method", "m"), 1000)).toBe(6);
    poll();
    expect<i32>(take_sent(PACKET)).toBe(4 + 27 + 14);
    set_clock(4000);
    expect<i32>(pollOn()).toBe(EventKind.RequestTimeout);
    expect<i32>(eventId()).toBe(6);
  });
});
