// Compares the numbers with the bytes that MQTT 3.1.1 shows for each packet.

import { ConnectFlag, Packet, PublishFlag, SUBACK_REFUSED } from "../../../assembly/mqtt/packet";

describe("packet types", () => {
  test("first bytes without flags: figures 3.1, 3.8, 3.12, 3.24, 3.31, 3.33, 3.35 of MQTT 3.1.1", () => {
    expect<i32>(Packet.Connect << 4).toBe(0x10);
    expect<i32>(Packet.Connack << 4).toBe(0x20);
    expect<i32>(Packet.Puback << 4).toBe(0x40);
    expect<i32>(Packet.Suback << 4).toBe(0x90);
    expect<i32>(Packet.Unsuback << 4).toBe(0xb0);
    expect<i32>(Packet.Pingreq << 4).toBe(0xc0);
    expect<i32>(Packet.Pingresp << 4).toBe(0xd0);
    expect<i32>(Packet.Disconnect << 4).toBe(0xe0);
  });
  test("SUBSCRIBE and UNSUBSCRIBE carry the flags 0010 [MQTT-3.8.1-1] [MQTT-3.10.1-1]", () => {
    expect<i32>((Packet.Subscribe << 4) | 2).toBe(0x82);
    expect<i32>((Packet.Unsubscribe << 4) | 2).toBe(0xa2);
  });
  test("each answer has the next type", () => {
    expect<i32>(Packet.Connack - Packet.Connect).toBe(1);
    expect<i32>(Packet.Puback - Packet.Publish).toBe(1);
    expect<i32>(Packet.Suback - Packet.Subscribe).toBe(1);
    expect<i32>(Packet.Unsuback - Packet.Unsubscribe).toBe(1);
    expect<i32>(Packet.Pingresp - Packet.Pingreq).toBe(1);
  });
});

describe("flags", () => {
  test("of PUBLISH: DUP, two bits of QoS, RETAIN (3.3.1)", () => {
    expect<i32>((Packet.Publish << 4) | PublishFlag.Dup | PublishFlag.Qos1 | PublishFlag.Retain).toBe(0x3b);
    expect<i32>((Packet.Publish << 4) | PublishFlag.Qos2).toBe(0x34);
  });
  test("of CONNECT: the example of figure 3.6 with user name, password, will at QoS 1 and clean session is CE", () => {
    expect<i32>(
      ConnectFlag.UserName | ConnectFlag.Password | ConnectFlag.Will | (1 << ConnectFlag.WillQosShift) | ConnectFlag.CleanSession,
    ).toBe(0xce);
    expect<i32>(ConnectFlag.WillRetain).toBe(0x20);
  });
  test("a SUBACK refuses with 80 (3.9.3)", () => {
    expect<u32>(SUBACK_REFUSED).toBe(0x80);
  });
});
