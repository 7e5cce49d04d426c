// Sends a client every packet that is no PUBLISH, right and wrong, in and out of place (MQTT 3.1.1, 3.2, 3.4, 3.9, 3.11, 3.13).

import { EventField, EventKind, ReturnCode, Stat, State, Status } from "../../../assembly/abi";
import { start, state, stop } from "../../../assembly/client/connection";
import { append, NO_NUMBER, RAW } from "../../../assembly/client/publish";
import { subscribe } from "../../../assembly/client/subscribe";
import { poll } from "../../../assembly/thingsboard/device";
import { configure, connect, eventId, eventReason, eventText, pollOn, receive, staging, stat } from "../device";
import { arriveHex, putText, sentHex, set_state } from "../host";

/** A session of its own. */
function fresh(): void {
  stop();
  expect<i32>(connect()).toBe(EventKind.Connected);
}

/** The packet ends the session as an error of the protocol. */
function ends(hex: string): void {
  fresh();
  const before = stat(Stat.ProtocolErrors);
  expect<i32>(receive(hex)).toBe(EventKind.Disconnected);
  expect<i32>(eventReason()).toBe(Status.ProtocolError);
  expect<u32>(stat(Stat.ProtocolErrors)).toBe(before + 1);
}

function publish(): i32 {
  const text = staging();
  putText(text, "tx");
  const id = append(0x32, text, 1, NO_NUMBER, text + 1, 1, RAW);
  poll();
  sentHex();
  return id;
}

function hex4(id: i32): string {
  return (id >> 8).toString(16).padStart(2, "0") + " " + (id & 255).toString(16).padStart(2, "0");
}

describe("CONNACK", () => {
  test("with session present is told by its flags [MQTT-3.2.2-1]", () => {
    configure('{"mqtt_host":"h","rpc":false,"shared_attributes":false,"session_limits":false}');
    start();
    set_state(1);
    poll();
    poll();
    arriveHex("20 02 01 00");
    expect<i32>(pollOn()).toBe(EventKind.Connected);
    expect<i32>(eventReason()).toBe(1);
    expect<u32>(stat(Stat.Connects)).toBe(1);
  });
  test("each refusal has its code", () => {
    for (let code: i32 = ReturnCode.UnacceptableProtocolVersion; code <= ReturnCode.NotAuthorized; code++) {
      stop();
      start();
      poll();
      poll();
      expect<i32>(state).toBe(State.Connecting);
      expect<i32>(receive("20 02 00 0" + code.toString())).toBe(EventKind.Refused);
      expect<i32>(eventReason()).toBe(code);
    }
  });
  test("in a session is an error [MQTT-3.2.0-1]", () => {
    ends("20 02 00 00");
  });
});

describe("acknowledgements", () => {
  test("a PUBACK is told with the id of its message, once", () => {
    fresh();
    const id = publish();
    expect<i32>(receive("40 02" + hex4(id))).toBe(EventKind.Delivered);
    expect<i32>(eventId()).toBe(id);
    expect<u32>(stat(Stat.MessagesDelivered)).toBe(1);
    const before = stat(Stat.AcknowledgementsUnknown);
    expect<i32>(receive("40 02" + hex4(id))).toBe(EventKind.None);
    expect<u32>(stat(Stat.AcknowledgementsUnknown)).toBe(before + 1);
    expect<i32>(state).toBe(State.Connected);
  });
  test("a packet with the id of another kind of packet acknowledges nothing", () => {
    const id = publish();
    const before = stat(Stat.AcknowledgementsUnknown);
    expect<i32>(receive("90 03" + hex4(id) + "00")).toBe(EventKind.None);
    expect<i32>(receive("b0 02" + hex4(id))).toBe(EventKind.None);
    expect<u32>(stat(Stat.AcknowledgementsUnknown)).toBe(before + 2);
    expect<i32>(receive("40 02" + hex4(id))).toBe(EventKind.Delivered);
  });
  test("a SUBACK names its filter, also behind a length of two bytes", () => {
    const filter = "f".repeat(130);
    const id = subscribe(staging(), putText(staging(), filter), 1);
    poll();
    sentHex();
    expect<i32>(receive("90 03" + hex4(id) + "01")).toBe(EventKind.Subscribed);
    expect<i32>(eventReason()).toBe(1);
    expect<string>(eventText(EventField.Topic)).toBe(filter);
  });
  test("a SUBACK has no other codes than 0, 1 and 80: none above 1 was asked for [MQTT-3.9.3-2]", () => {
    ends("90 03 80 01 02");
    ends("90 03 80 01 03");
    ends("90 03 80 01 81");
  });
});

describe("other packets", () => {
  test("PINGRESP is no event", () => {
    fresh();
    expect<i32>(receive("d0 00")).toBe(EventKind.None);
    expect<i32>(state).toBe(State.Connected);
  });
  test("what only clients send, and QoS 2, end the session", () => {
    const wrong = ["10 00", "82 05 00 01 00 01 61", "a2 05 00 01 00 01 61", "c0 00", "e0 00", "50 02 00 01", "62 02 00 01", "70 02 00 01", "f0 00", "00 00"];
    for (let index = 0; index < wrong.length; index++) ends(wrong[index]);
  });
});
