// Publishes spans of the staging area to any topic (ABI.md, section 7).

import { EventKind, Status } from "../../../assembly/abi";
import { publishRaw } from "../../../assembly/client/raw";
import { poll } from "../../../assembly/thingsboard/device";
import { configure, connect, options, staging } from "../device";
import { putText, sentHex } from "../host";

function sent(): string {
  poll();
  return sentHex();
}

describe("publishRaw", () => {
  test("a session", () => {
    expect<i32>(configure('{"mqtt_host":"h","rpc":false,"shared_attributes":false}')).toBe(Status.Ok);
    expect<i32>(connect()).toBe(EventKind.Connected);
  });
  test("topic and payload as they are, with the configured QoS", () => {
    const at = staging();
    putText(at, "a/\u00e9\0\x01");
    expect<i32>(publishRaw(at, 4, at + 4, 2, 0)).toBe(1);
    expect<string>(sent()).toBe("32 0a 00 04 61 2f c3 a9 00 01 00 01");
  });
  test("QoS 0 and retain by the options; an empty payload", () => {
    const at = staging();
    putText(at, "a");
    expect<i32>(publishRaw(at, 1, at, 0, options(0, 1))).toBe(0);
    expect<string>(sent()).toBe("31 03 00 01 61");
  });
  test("topics that no PUBLISH may have [MQTT-3.3.2-2] [MQTT-4.7.3-1]", () => {
    const at = staging();
    const topics = ["", "a/+", "#", "a\0b"];
    for (let index = 0; index < topics.length; index++) {
      expect<i32>(publishRaw(at, putText(at, topics[index]), at, 0, 0)).toBe(Status.InvalidTopic);
    }
    store<u8>(at, 0xff);
    expect<i32>(publishRaw(at, 1, at, 0, 0)).toBe(Status.InvalidTopic);
    expect<string>(sent()).toBe("");
  });
  test("spans that are not in the staging area", () => {
    const at = staging();
    putText(at, "a");
    expect<i32>(publishRaw(at - 1, 1, at, 0, 0)).toBe(Status.InvalidValue);
    expect<i32>(publishRaw(at, 1, at + 250, 7, 0)).toBe(Status.InvalidValue);
    expect<i32>(publishRaw(at, 1, at, -1, 0)).toBe(Status.InvalidValue);
    expect<i32>(publishRaw(at, 1, 8, 4, 0)).toBe(Status.InvalidValue);
    expect<i32>(publishRaw(at, 1, at + 250, 6, options(0, 0))).toBe(0);
    sent();
  });
  test("options that are none", () => {
    const at = staging();
    putText(at, "a");
    expect<i32>(publishRaw(at, 1, at, 0, options(2, 0))).toBe(Status.InvalidValue);
    expect<string>(sent()).toBe("");
  });
});
