// Declares subscriptions before, in and after a session, and compares the packets (MQTT 3.1.1, 3.8 to 3.11).

import { EventField, EventKind, Status } from "../../../assembly/abi";
import { stop } from "../../../assembly/client/connection";
import { subscribe, unsubscribe } from "../../../assembly/client/subscribe";
import { poll } from "../../../assembly/thingsboard/device";
import { configure, connect, eventId, eventText, receive, staging } from "../device";
import { putText, sentHex } from "../host";

function declared(filter: string, qos: i32): i32 {
  return subscribe(staging(), putText(staging(), filter), qos);
}

function end(filter: string): i32 {
  return unsubscribe(staging(), putText(staging(), filter));
}

function hex4(id: i32): string {
  return (id >> 8).toString(16).padStart(2, "0") + " " + (id & 255).toString(16).padStart(2, "0");
}

/** What the next polls send. */
function sent(): string {
  poll();
  poll();
  return sentHex();
}

let first = 0;
let second = 0;

describe("subscribe and unsubscribe", () => {
  test("not before configure", () => {
    expect<i32>(subscribe(0, 0, 0)).toBe(Status.BadState);
    expect<i32>(unsubscribe(0, 0)).toBe(Status.BadState);
    expect<i32>(configure('{"mqtt_host":"h","rpc":false,"shared_attributes":false}')).toBe(Status.Ok);
  });
  test("what was declared before the session is asserted in it", () => {
    first = declared("a/+", 1);
    expect<bool>(first > 0).toBe(true);
    expect<i32>(connect()).toBe(EventKind.Connected);
  });
  test("a filter, its QoS and an id that is the result (3.8)", () => {
    second = declared("b", 0);
    expect<bool>(second > 0 && second <= 0xffff && second != first).toBe(true);
    expect<string>(sent()).toBe("82 06 " + hex4(second) + " 00 01 62 00");
  });
  test("the same again is no packet and has the same id", () => {
    expect<i32>(declared("b", 0)).toBe(second);
    expect<string>(sent()).toBe("");
  });
  test("its SUBACK is an event with its id and filter", () => {
    expect<i32>(receive("90 03" + hex4(second) + "00")).toBe(EventKind.Subscribed);
    expect<i32>(eventId()).toBe(second);
    expect<string>(eventText(EventField.Topic)).toBe("b");
    expect<i32>(receive("90 03" + hex4(first) + "80")).toBe(EventKind.SubscriptionRefused);
    expect<i32>(eventId()).toBe(first);
    expect<string>(eventText(EventField.Topic)).toBe("a/+");
  });
  test("another QoS is another SUBSCRIBE, which takes the place of the first [MQTT-3.8.4-3]", () => {
    const id = declared("b", 1);
    expect<bool>(id > 0 && id != second).toBe(true);
    expect<string>(sent()).toBe("82 06 " + hex4(id) + " 00 01 62 01");
    expect<i32>(declared("b", 1)).toBe(id);
    expect<i32>(receive("90 03" + hex4(id) + "01")).toBe(EventKind.Subscribed);
    second = id;
  });
  test("unsubscribe sends one packet (3.10), whose answer is no event", () => {
    expect<i32>(end("b")).toBe(Status.Ok);
    const packet = sent();
    expect<string>(packet.substr(0, 5)).toBe("a2 05");
    expect<string>(packet.substr(11)).toBe(" 00 01 62");
    expect<i32>(receive("b0 02" + packet.substr(6, 5))).toBe(EventKind.None);
    expect<i32>(end("b")).toBe(Status.NotFound);
  });
  test("filters that are none [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.3-1]", () => {
    const filters = ["", "a+", "#/a", "a#", "a\0"];
    for (let index = 0; index < filters.length; index++) {
      expect<i32>(declared(filters[index], 0)).toBe(Status.InvalidTopic);
      expect<i32>(end(filters[index])).toBe(Status.InvalidTopic);
    }
  });
  test("a QoS that is none, and spans outside the staging area", () => {
    expect<i32>(declared("c", 2)).toBe(Status.InvalidValue);
    expect<i32>(declared("c", -1)).toBe(Status.InvalidValue);
    expect<i32>(subscribe(staging() - 1, 1, 0)).toBe(Status.InvalidValue);
    expect<i32>(subscribe(staging(), 257, 0)).toBe(Status.InvalidValue);
    expect<i32>(unsubscribe(staging() + 256, 1)).toBe(Status.InvalidValue);
    expect<string>(sent()).toBe("");
  });
  test("without a session unsubscribe only forgets", () => {
    const id = declared("d", 1);
    declared("e", 1);
    sent();
    stop();
    sentHex();
    expect<i32>(end("d")).toBe(Status.Ok);
    expect<bool>(id > 0).toBe(true);
    expect<i32>(connect()).toBe(EventKind.Connected);
    poll();
    // Nothing of d in the next session.
    expect<i32>(end("d")).toBe(Status.NotFound);
    expect<i32>(end("e")).toBe(Status.Ok);
  });
});
