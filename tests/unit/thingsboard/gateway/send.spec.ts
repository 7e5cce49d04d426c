// Sends for the children of a gateway and reads the topics and payloads (ThingsBoard Gateway API).

import { EventKind, Status } from "../../../../assembly/abi";
import { poll } from "../../../../assembly/thingsboard/device";
import { claimChildren, requestChildAttributes, sendChildAttributes, sendChildRpcReply, sendChildTelemetry } from "../../../../assembly/thingsboard/gateway/send";
import { configure, connect, layOut } from "../../device";
import { take_sent, textAt } from "../../host";
import { close, json, number, open, text } from "../../record";

const SENT = memory.data(2048, 8);

/** Topic and payload of the PUBLISH at QoS 0 that the next polls send. */
function sent(): string {
  for (let step = 0; step < 3; step++) poll();
  const length = take_sent(SENT);
  if (!length) return "";
  // Two length bytes where one does not suffice.
  const topic: usize = SENT + 4 + <usize>(load<u8>(SENT, 1) > 0x7f);
  const topicLength: i32 = load<u8>(topic - 1);
  return textAt(topic, topicLength) + " " + textAt(topic + topicLength, <i32>(SENT + length - topic) - topicLength);
}

/** A request for attributes of a child with a member that is ready JSON text; its result. */
function requestWith(key: string, value: string): i32 {
  open();
  number("id", 0);
  text("device", "a");
  json(key, value);
  return requestChildAttributes(close(), 1000);
}

describe("send for children", () => {
  test("a session at QoS 0", () => {
    expect<i32>(configure('{"mqtt_host":"h","rpc":false,"shared_attributes":false,"session_limits":false,"qos":0,"max_requests":3}')).toBe(Status.Ok);
    expect<i32>(connect()).toBe(EventKind.Connected);
    sent();
  });
  test("telemetry is a list for each child", () => {
    expect<i32>(sendChildTelemetry(layOut('{"a":[{"t":1}],"b":[{"ts":1,"values":{"t":2}}]}'), 0)).toBe(0);
    expect<string>(sent()).toBe('v1/gateway/telemetry {"a":[{"t":1}],"b":[{"ts":1,"values":{"t":2}}]}');
  });
  test("the server would never acknowledge an empty list, or no child at all", () => {
    const others = ['{"a":[]}', '{"a":[{"t":1}],"b":[ ]}', "{}", '{"a":{"t":1}}', '{"a":1}', "[]", "1"];
    for (let index = 0; index < others.length; index++) expect<i32>(sendChildTelemetry(layOut(others[index]), 0)).toBe(Status.InvalidValue);
    expect<string>(sent()).toBe("");
  });
  test("attributes and claims are an object for each child", () => {
    expect<i32>(sendChildAttributes(layOut('{"a":{"fw":"1"}}'), 0)).toBe(0);
    expect<string>(sent()).toBe('v1/gateway/attributes {"a":{"fw":"1"}}');
    expect<i32>(claimChildren(layOut('{"a":{"secretKey":"k","durationMs":60000}}'), 0)).toBe(0);
    expect<string>(sent()).toBe('v1/gateway/claim {"a":{"secretKey":"k","durationMs":60000}}');
    expect<i32>(sendChildAttributes(layOut('{"a":[{"fw":"1"}]}'), 0)).toBe(Status.InvalidValue);
    expect<i32>(claimChildren(layOut('{"a":"k"}'), 0)).toBe(Status.InvalidValue);
    expect<string>(sent()).toBe("");
  });
  test("a reply names its child first", () => {
    open();
    text("device", "a");
    number("id", 7);
    number("data", 1);
    expect<i32>(sendChildRpcReply(close(), 0)).toBe(0);
    expect<string>(sent()).toBe('v1/gateway/rpc {"device":"a","id":7,"data":1}');
    open();
    number("id", 7);
    text("device", "a");
    expect<i32>(sendChildRpcReply(close(), 0)).toBe(Status.MissingKey);
    open();
    text("device", "");
    expect<i32>(sendChildRpcReply(close(), 0)).toBe(Status.MissingKey);
    expect<string>(sent()).toBe("");
  });
  test("the server would take no key for all of both scopes, and close for a member that is an object", () => {
    expect<i32>(requestWith("keys", "[]")).toBe(Status.InvalidValue);
    expect<i32>(requestWith("keys", " [ ] ")).toBe(Status.InvalidValue);
    expect<i32>(requestWith("keys", "{}")).toBe(Status.InvalidValue);
    expect<string>(sent()).toBe("");
    expect<i32>(requestWith("keys", '["k"]')).toBe(1);
    expect<string>(sent()).toBe('v1/gateway/attributes/request {"id":1,"device":"a","keys":["k"]}');
  });
  test("a request for attributes goes with an id of its own in the place of the one it begins with", () => {
    for (let id = 2; id <= 3; id++) {
      open();
      number("id", 0);
      text("device", "a");
      text("key", "k");
      expect<i32>(requestChildAttributes(close(), 1000)).toBe(id);
      expect<string>(sent()).toBe(`v1/gateway/attributes/request {"id":${id},"device":"a","key":"k"}`);
    }
  });
  test("no more of them wait than max_requests", () => {
    open();
    number("id", 0);
    expect<i32>(requestChildAttributes(close(), 1000)).toBe(Status.Full);
  });
  test("a timeout is 1 ms to a day, and the id comes first", () => {
    open();
    number("id", 0);
    const length = close();
    expect<i32>(requestChildAttributes(length, 0)).toBe(Status.InvalidValue);
    expect<i32>(requestChildAttributes(length, -1)).toBe(Status.InvalidValue);
    expect<i32>(requestChildAttributes(length, 86400001)).toBe(Status.InvalidValue);
    open();
    text("device", "a");
    number("id", 0);
    expect<i32>(requestChildAttributes(close(), 1000)).toBe(Status.MissingKey);
    expect<string>(sent()).toBe("");
  });
});
