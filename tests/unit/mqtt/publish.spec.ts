// Reads variable headers of PUBLISH (MQTT 3.1.1, 3.3.2) as they arrive byte by byte, and with topics longer than the packet.

import { Status } from "../../../assembly/abi";
import { packetId, payload, readPublish, readU16, topic, topicLength } from "../../../assembly/mqtt/publish";
import { hexAt, putHex } from "../host";

const BODY = memory.data(64, 8);

describe("readU16", () => {
  test("the high byte stands first", () => {
    store<u32>(BODY, 0x00ff02fe);
    expect<i32>(readU16(BODY)).toBe(0xfe02);
    expect<i32>(readU16(BODY + 1)).toBe(0x02ff);
    expect<i32>(readU16(BODY + 2)).toBe(0xff00);
  });
});

describe("readPublish", () => {
  test("QoS 0: the payload follows the topic, and there is no id [MQTT-2.3.1-5]", () => {
    const length = putHex(BODY, "0003 612f62 01 02 03");
    expect<i32>(readPublish(0x30, BODY, BODY + length, BODY + length)).toBe(Status.Ok);
    expect<string>(hexAt(topic, topicLength)).toBe("61 2f 62");
    expect<usize>(payload).toBe(BODY + 5);
    expect<i32>(packetId).toBe(0);
  });
  test("QoS 1: the id stands between topic and payload", () => {
    const length = putHex(BODY, "0003 612f62 0102 7b7d");
    expect<i32>(readPublish(0x32, BODY, BODY + length, BODY + length)).toBe(Status.Ok);
    expect<i32>(topicLength).toBe(3);
    expect<usize>(payload).toBe(BODY + 7);
    expect<i32>(packetId).toBe(0x102);
  });
  test("RETAIN and DUP change nothing of it", () => {
    const length = putHex(BODY, "0001 61 ffff");
    expect<i32>(readPublish(0x3b, BODY, BODY + length, BODY + length)).toBe(Status.Ok);
    expect<i32>(packetId).toBe(0xffff);
    expect<i32>(readPublish(0x31, BODY, BODY + length, BODY + length)).toBe(Status.Ok);
    expect<i32>(packetId).toBe(0);
    expect<usize>(payload).toBe(BODY + 3);
  });
  test("an empty payload is one", () => {
    putHex(BODY, "0001 61 0007");
    expect<i32>(readPublish(0x30, BODY, BODY + 3, BODY + 3)).toBe(Status.Ok);
    expect<usize>(payload).toBe(BODY + 3);
    expect<i32>(readPublish(0x32, BODY, BODY + 5, BODY + 5)).toBe(Status.Ok);
    expect<usize>(payload).toBe(BODY + 5);
    expect<i32>(packetId).toBe(7);
  });
  test("id 0 is read as it is", () => {
    const length = putHex(BODY, "0001 61 0000 31");
    expect<i32>(readPublish(0x32, BODY, BODY + length, BODY + length)).toBe(Status.Ok);
    expect<i32>(packetId).toBe(0);
    expect<usize>(payload).toBe(BODY + 5);
  });
  test("until all of it has arrived, more bytes are needed", () => {
    putHex(BODY, "0003 612f62 0102 7b7d");
    for (let available = 0; available < 7; available++) expect<i32>(readPublish(0x32, BODY, BODY + 9, BODY + available)).toBe(Status.MoreBytes);
    for (let available = 7; available <= 9; available++) expect<i32>(readPublish(0x32, BODY, BODY + 9, BODY + available)).toBe(Status.Ok);
  });
  test("a packet too short for its topic or its id is malformed", () => {
    putHex(BODY, "0003 612f62 0102 7b7d");
    for (let remaining = 0; remaining < 7; remaining++) expect<i32>(readPublish(0x32, BODY, BODY + remaining, BODY + remaining)).toBe(Status.Malformed);
    for (let remaining = 0; remaining < 5; remaining++) expect<i32>(readPublish(0x30, BODY, BODY + remaining, BODY + remaining)).toBe(Status.Malformed);
    expect<i32>(readPublish(0x30, BODY, BODY + 5, BODY + 5)).toBe(Status.Ok);
  });
  test("the longest topic does not fit, and that shows as soon as its length is there", () => {
    putHex(BODY, "ffff 61");
    expect<i32>(readPublish(0x30, BODY, BODY + 3, BODY + 3)).toBe(Status.Malformed);
    expect<i32>(readPublish(0x30, BODY, BODY + 100, BODY + 2)).toBe(Status.Malformed);
    expect<i32>(readPublish(0x30, BODY, BODY + 65537, BODY + 2)).toBe(Status.MoreBytes);
    expect<i32>(topicLength).toBe(65535);
  });
});
