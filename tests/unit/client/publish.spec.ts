// Sends message records through a session and compares the packets (MQTT 3.1.1, 3.3) byte for byte.

import { EventKind, Stat, Status } from "../../../assembly/abi";
import { append, NO_NUMBER, publishByte, RAW } from "../../../assembly/client/publish";
import { poll } from "../../../assembly/thingsboard/device";
import { sendTelemetry } from "../../../assembly/thingsboard/send";
import { configure, connect, errorValue, layOut, options, staging, stat } from "../device";
import { putText, sentHex } from "../host";

function sent(): string {
  poll();
  return sentHex();
}

describe("before configure", () => {
  test("nothing can be sent", () => {
    expect<i32>(publishByte(0, 0)).toBe(Status.BadState);
    expect<i32>(sendTelemetry(16, 0)).toBe(Status.BadState);
  });
  test("configure and connect", () => {
    expect<i32>(configure('{"mqtt_host":"h","rpc":false,"shared_attributes":false,"staging_buffer":1024,"send_buffer":512,"qos":0}')).toBe(Status.Ok);
    expect<i32>(connect()).toBe(EventKind.Connected);
  });
});

describe("publishByte", () => {
  test("the configured QoS, or what the options record asks for (3.3.1)", () => {
    expect<i32>(publishByte(0, 0)).toBe(0x30);
    expect<i32>(publishByte(0, options(0, 0))).toBe(0x30);
    expect<i32>(publishByte(0, options(0, 1))).toBe(0x31);
    expect<i32>(publishByte(0, options(1, 0))).toBe(0x32);
    expect<i32>(publishByte(0, options(1, 255))).toBe(0x33);
  });
  test("QoS 2 and above is no value", () => {
    for (let qos = 2; qos < 256; qos++) expect<i32>(publishByte(0, options(qos, 0))).toBe(Status.InvalidValue);
  });
  test("a record that is too short or not wholly in the staging area", () => {
    const record = options(1, 0);
    store<u16>(record, 3);
    expect<i32>(publishByte(0, record)).toBe(Status.InvalidValue);
    store<u16>(record, 8);
    expect<i32>(publishByte(0, record)).toBe(0x32);
    expect<i32>(publishByte(0, staging() - 1)).toBe(Status.InvalidValue);
    expect<i32>(publishByte(0, staging() + 1021)).toBe(Status.InvalidValue);
  });
});

describe("append", () => {
  test("QoS 0: topic and payload, no id [MQTT-2.3.1-5]", () => {
    const at = staging();
    const length = putText(at, "a/bxy");
    expect<i32>(append(0x31, at, 3, NO_NUMBER, at + 3, length - 3, RAW)).toBe(0);
    expect<string>(sent()).toBe("31 07 00 03 61 2f 62 78 79");
  });
  test("QoS 1: the id that is returned stands behind the topic [MQTT-2.3.1-1]", () => {
    const at = staging();
    putText(at, "axy");
    expect<i32>(append(0x32, at, 1, NO_NUMBER, at + 1, 2, RAW)).toBe(1);
    expect<i32>(append(0x32, at, 1, NO_NUMBER, at + 1, 0, RAW)).toBe(2);
    expect<string>(sent()).toBe("32 07 00 01 61 00 01 78 79 32 05 00 01 61 00 02");
  });
  test("a number behind the topic counts to its length", () => {
    const at = staging();
    putText(at, "a/");
    expect<i32>(append(0x30, at, 2, 2147483647, at, 0, RAW)).toBe(0);
    expect<string>(sent()).toBe("30 0e 00 0c 61 2f 32 31 34 37 34 38 33 36 34 37");
    expect<i32>(append(0x30, at, 2, 0, at, 0, RAW)).toBe(0);
    expect<string>(sent()).toBe("30 05 00 03 61 2f 30");
  });
  test("a body of 128 bytes and more has two length bytes", () => {
    const at = staging();
    memory.fill(at, 0x61, 200);
    append(0x30, at, 1, NO_NUMBER, at, 124, RAW); // 3 + 124 = 127
    expect<string>(sent().substr(0, 14)).toBe("30 7f 00 01 61");
    append(0x30, at, 1, NO_NUMBER, at, 125, RAW);
    const packet = sent();
    expect<string>(packet.substr(0, 17)).toBe("30 80 01 00 01 61");
    expect<i32>(packet.length).toBe(131 * 3 - 1);
  });
});

describe("publishRecord", () => {
  test("the payload is the text of the record", () => {
    expect<i32>(sendTelemetry(layOut('{"t":1}'), 0)).toBe(0);
    expect<string>(sent()).toBe("30 20 00 17 76 31 2f 64 65 76 69 63 65 73 2f 6d 65 2f 74 65 6c 65 6d 65 74 72 79 7b 22 74 22 3a 31 7d");
  });
  test("a faulty record sends nothing and takes no id", () => {
    const queued = stat(Stat.MessagesQueued);
    const length = layOut('{"t":}');
    expect<i32>(sendTelemetry(length, options(1, 0))).toBe(Status.Malformed);
    expect<i32>(sendTelemetry(4, 0)).toBe(Status.Malformed);
    expect<string>(sent()).toBe("");
    expect<u32>(stat(Stat.MessagesQueued)).toBe(queued);
    const at = staging();
    putText(at, "a");
    expect<i32>(append(0x32, at, 1, NO_NUMBER, at, 0, RAW)).toBe(3);
    sent();
  });
  test("a length beyond the staging area is no value", () => {
    expect<i32>(sendTelemetry(1025, 0)).toBe(Status.InvalidValue);
    expect<i32>(sendTelemetry(-1, 0)).toBe(Status.InvalidValue);
  });
  test("what never fits is too large, with the bytes needed; what does not fit now is refused", () => {
    const at = staging();
    memory.fill(at, 0x61, 1024);
    expect<i32>(append(0x30, at, 1, NO_NUMBER, at, 600, RAW)).toBe(Status.TooLarge);
    // Its packet has 606 bytes, each record a head of 12, and the packets of the three subscriptions of a gateway have 28, 37 and 21, up to a multiple of four.
    expect<i32>(errorValue()).toBe(606 + 12 + (28 + 12) + (37 + 12 + 3) + (21 + 12 + 3));
    const refused = stat(Stat.MessagesRefused);
    let status = 0;
    for (let count = 0; count < 10 && status >= 0; count++) status = append(0x32, at, 1, NO_NUMBER, at, 100, RAW);
    expect<i32>(status).toBe(Status.Full);
    expect<u32>(stat(Stat.MessagesRefused) - refused).toBe(1);
  });
});
