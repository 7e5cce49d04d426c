// Sends telemetry, attributes and RPC replies and reads the topics and payloads (ThingsBoard Device API).

import { EventKind, Status } from "../../../assembly/abi";
import { poll } from "../../../assembly/thingsboard/device";
import { claim, sendAttributes, sendRpcReply, sendTelemetry } from "../../../assembly/thingsboard/send";
import { configure, connect, layOut, options } from "../device";
import { take_sent, textAt } from "../host";

const SENT = memory.data(1024, 8);

/** Topic and payload of the PUBLISH at QoS 0 that the next poll sends. */
function sent(): string {
  poll();
  const length = take_sent(SENT);
  if (!length) return "";
  const topicLength: i32 = load<u8>(SENT, 3);
  return textAt(SENT + 4, topicLength) + " " + textAt(SENT + 4 + topicLength, length - 4 - topicLength);
}

describe("send", () => {
  test("a session at QoS 0", () => {
    expect<i32>(configure('{"mqtt_host":"h","rpc":false,"shared_attributes":false,"qos":0}')).toBe(Status.Ok);
    expect<i32>(connect()).toBe(EventKind.Connected);
  });
  test("telemetry in each of its forms", () => {
    expect<i32>(sendTelemetry(layOut('{"t":25.5}'), 0)).toBe(0);
    expect<string>(sent()).toBe('v1/devices/me/telemetry {"t":25.5}');
    expect<i32>(sendTelemetry(layOut('[{"ts":1,"values":{"a":1}}]'), 0)).toBe(0);
    expect<string>(sent()).toBe('v1/devices/me/telemetry [{"ts":1,"values":{"a":1}}]');
  });
  test("telemetry is no scalar and no empty array", () => {
    const others = ["1", '"a"', "null", "[]", "[ ]"];
    for (let index = 0; index < others.length; index++) expect<i32>(sendTelemetry(layOut(others[index]), 0)).toBe(Status.InvalidValue);
    expect<string>(sent()).toBe("");
  });
  test("attributes are an object", () => {
    expect<i32>(sendAttributes(layOut('{"fw":"1.0"}'), 0)).toBe(0);
    expect<string>(sent()).toBe('v1/devices/me/attributes {"fw":"1.0"}');
    const others = ["1", "[]", '[{"a":1}]', "null"];
    for (let index = 0; index < others.length; index++) expect<i32>(sendAttributes(layOut(others[index]), 0)).toBe(Status.InvalidValue);
    expect<string>(sent()).toBe("");
  });
  test("a reply is anything, with the id of its request from 0", () => {
    expect<i32>(sendRpcReply(0, layOut("true"), 0)).toBe(0);
    expect<string>(sent()).toBe("v1/devices/me/rpc/response/0 true");
    expect<i32>(sendRpcReply(2147483647, layOut("[]"), 0)).toBe(0);
    expect<string>(sent()).toBe("v1/devices/me/rpc/response/2147483647 []");
  });
  test("no id is below zero", () => {
    expect<i32>(sendRpcReply(-1, layOut("true"), 0)).toBe(Status.InvalidValue);
    expect<i32>(sendRpcReply(i32.MIN_VALUE, layOut("true"), 0)).toBe(Status.InvalidValue);
    expect<string>(sent()).toBe("");
  });
  test("a claim is an object", () => {
    expect<i32>(claim(layOut('{"secretKey":"k"}'), 0)).toBe(0);
    expect<string>(sent()).toBe('v1/devices/me/claim {"secretKey":"k"}');
    expect<i32>(claim(layOut("[]"), 0)).toBe(Status.InvalidValue);
  });
  test("options hold for each of them", () => {
    const length = layOut("{}");
    expect<i32>(sendTelemetry(length, options(1, 0))).toBe(1);
    expect<i32>(sendAttributes(length, options(1, 0))).toBe(2);
    expect<i32>(sendRpcReply(1, length, options(1, 0))).toBe(3);
    expect<i32>(sendTelemetry(length, options(2, 0))).toBe(Status.InvalidValue);
  });
});
