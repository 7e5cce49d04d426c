// Connects and disconnects children in and out of sessions, and compares what announces them (ThingsBoard Gateway API, device connect and disconnect).

import { EventKind, Status } from "../../../../assembly/abi";
import { disconnect, stop } from "../../../../assembly/client/connection";
import { poll } from "../../../../assembly/thingsboard/device";
import { connectChild, disconnectChild } from "../../../../assembly/thingsboard/gateway/children";
import { configure, connect, errorValue, pollOn } from "../../device";
import { arriveHex, set_clock, take_sent, textAt } from "../../host";
import { close, open, text } from "../../record";

const SENT = memory.data(2048, 8);

/** The record of {"device":NAME,"type":TYPE}, or without the type when that is empty; its length. */
function child(name: string, type: string): i32 {
  open();
  text("device", name);
  if (type.length) text("type", type);
  return close();
}

/** Topic and payload of each PUBLISH at QoS 0 that the next polls send, one in a line. */
function sent(): string {
  for (let step = 0; step < 12; step++) poll();
  const end = SENT + take_sent(SENT);
  let lines = "";
  for (let at: usize = SENT; at < end; ) {
    const length: i32 = load<u8>(at, 1);
    if (load<u8>(at) == 0x30) {
      const topicLength: i32 = load<u8>(at, 3);
      lines += textAt(at + 4, topicLength) + " " + textAt(at + 4 + topicLength, length - 2 - topicLength) + "\n";
    }
    at += 2 + length;
  }
  return lines;
}

/** A session begins, and its three subscriptions are granted by the polls that follow: the kind of its event. */
function begin(): i32 {
  const kind = connect();
  arriveHex("90 03 80 01 01 90 03 80 02 01 90 03 80 03 01");
  return kind;
}

/** The session ends, and another one begins. */
function again(): void {
  stop();
  begin();
}

describe("children", () => {
  test("a gateway with room for three of them", () => {
    expect<i32>(configure('{"mqtt_host":"h","rpc":false,"shared_attributes":false,"session_limits":false,"qos":0,"children_buffer":72,"child_keep_alive_s":60}')).toBe(Status.Ok);
    expect<i32>(begin()).toBe(EventKind.Connected);
    sent();
  });
  test("a child is announced by its document, with its type where it has one", () => {
    expect<i32>(connectChild(child("a", ""), 0)).toBe(0);
    expect<string>(sent()).toBe('v1/gateway/connect {"device":"a"}\n');
    expect<i32>(connectChild(child("b", "t"), 0)).toBe(0);
    expect<string>(sent()).toBe('v1/gateway/connect {"device":"b","type":"t"}\n');
  });
  test("a record that does not begin with a name is refused", () => {
    expect<i32>(connectChild(child("", ""), 0)).toBe(Status.MissingKey);
    expect<i32>(disconnectChild(child("", "t"), 0)).toBe(Status.MissingKey);
    open();
    expect<i32>(connectChild(close(), 0)).toBe(Status.MissingKey);
    expect<string>(sent()).toBe("");
  });
  test("each session announces all of them, in their order", () => {
    again();
    expect<string>(sent()).toBe('v1/gateway/connect {"device":"a"}\nv1/gateway/connect {"device":"b","type":"t"}\n');
  });
  test("what was said again takes the place of what was said before", () => {
    expect<i32>(connectChild(child("a", "u"), 0)).toBe(0);
    sent();
    again();
    expect<string>(sent()).toBe('v1/gateway/connect {"device":"b","type":"t"}\nv1/gateway/connect {"device":"a","type":"u"}\n');
  });
  test("the table is full, and nothing is sent of what it cannot keep", () => {
    expect<i32>(connectChild(child("c", "a long type"), 0)).toBe(Status.Full);
    const name = "a name that would not fit into an empty table, however small the others are and whatever they are called";
    expect<i32>(connectChild(child(name, ""), 0)).toBe(Status.TooLarge);
    expect<i32>(errorValue()).toBe(2 + '{"device":""}'.length + name.length);
    expect<string>(sent()).toBe("");
  });
  test("one that leaves is told, and announced no more", () => {
    expect<i32>(disconnectChild(child("b", ""), 0)).toBe(0);
    expect<string>(sent()).toBe('v1/gateway/disconnect {"device":"b"}\n');
    again();
    expect<string>(sent()).toBe('v1/gateway/connect {"device":"a","type":"u"}\n');
  });
  test("a name is told from one that it begins, and by its characters as they are written", () => {
    expect<i32>(connectChild(child('a"', ""), 0)).toBe(0);
    expect<string>(sent()).toBe('v1/gateway/connect {"device":"a\\""}\n');
    expect<i32>(disconnectChild(child("a", ""), 0)).toBe(0);
    sent();
    again();
    expect<string>(sent()).toBe('v1/gateway/connect {"device":"a\\""}\n');
  });
  test("they are kept alive: announced again when it is time, and not before", () => {
    set_clock(60999);
    expect<string>(sent()).toBe("");
    set_clock(61000);
    expect<string>(sent()).toBe('v1/gateway/connect {"device":"a\\""}\n');
  });
  test("without a session they are only kept", () => {
    disconnect();
    expect<i32>(pollOn()).toBe(EventKind.Disconnected);
    take_sent(SENT);
    expect<i32>(connectChild(child("d", ""), 0)).toBe(Status.Ok);
    expect<i32>(disconnectChild(child('a"', ""), 0)).toBe(Status.Ok);
    begin();
    expect<string>(sent()).toBe('v1/gateway/connect {"device":"d"}\n');
  });
});
