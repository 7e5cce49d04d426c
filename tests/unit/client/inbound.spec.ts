// Receives packets in pieces, several at once and in parts, through a buffer of 64 bytes.

import { EventField, EventFlag, EventKind, Stat, Status } from "../../../assembly/abi";
import { carveInbound, lent, partLeft, passPacket, receive, reset, skipRest, takeBack } from "../../../assembly/client/inbound";
import { carveFrom, EVENT } from "../../../assembly/memory";
import { eventFlags, eventId, eventText, stat } from "../device";
import { arriveHex, discard, hexAt, set_receive_end } from "../host";

const HANDLE: i32 = 1;
const BLOCK: usize = heap.alloc(256);

function begin(): void {
  memory.fill(BLOCK, 0xaa, 256);
  carveFrom(BLOCK);
  carveInbound(64);
  reset();
  discard();
}

/** So many payload bytes that count from 0, in hexadecimal. */
function payload(from: i32, length: i32): string {
  let hex = "";
  for (let byte = from; byte < from + length; byte++) hex += (byte & 255).toString(16).padStart(2, "0");
  return hex;
}

function field(field: i32): i32 {
  return load<i32>(EVENT + field);
}

describe("packets that are no PUBLISH", () => {
  test("nothing arrived", () => {
    begin();
    expect<i32>(receive(HANDLE)).toBe(EventKind.None);
  });
  test("one whole, by its first byte and its body", () => {
    begin();
    arriveHex("20 02 01 00");
    expect<i32>(receive(HANDLE)).toBe(0x20);
    expect<string>(hexAt(passPacket(), 2)).toBe("01 00");
    expect<i32>(receive(HANDLE)).toBe(EventKind.None);
  });
  test("byte by byte", () => {
    begin();
    arriveHex("90");
    expect<i32>(receive(HANDLE)).toBe(EventKind.None);
    arriveHex("03");
    expect<i32>(receive(HANDLE)).toBe(EventKind.None);
    arriveHex("80 01");
    expect<i32>(receive(HANDLE)).toBe(EventKind.None);
    arriveHex("80");
    expect<i32>(receive(HANDLE)).toBe(0x90);
    expect<string>(hexAt(passPacket(), 3)).toBe("80 01 80");
  });
  test("the beginning of a message that is longer than the buffer waits behind it for more", () => {
    begin();
    arriveHex("d0 00 30 7a 00 01 74 00 01");
    expect<i32>(receive(HANDLE)).toBe(0xd0);
    passPacket();
    expect<i32>(receive(HANDLE)).toBe(EventKind.None);
    // A gateway's first part fills the buffer: 64 bytes without the fixed header and the topic.
    arriveHex(payload(2, 57));
    expect<i32>(receive(HANDLE)).toBe(EventKind.Message);
    expect<i32>(field(EventField.PayloadLength)).toBe(59);
    expect<i32>(field(EventField.Total)).toBe(0x7a - 3);
  });
  test("several in one piece, each by itself", () => {
    begin();
    arriveHex("40 02 00 01 d0 00 40 02 00 02 d0");
    expect<i32>(receive(HANDLE)).toBe(0x40);
    expect<string>(hexAt(passPacket(), 2)).toBe("00 01");
    expect<i32>(receive(HANDLE)).toBe(0xd0);
    passPacket();
    expect<i32>(receive(HANDLE)).toBe(0x40);
    expect<string>(hexAt(passPacket(), 2)).toBe("00 02");
    expect<i32>(receive(HANDLE)).toBe(EventKind.None);
    arriveHex("00");
    expect<i32>(receive(HANDLE)).toBe(0xd0);
    passPacket();
  });
  test("more packets than the buffer holds at once", () => {
    begin();
    for (let id = 0; id < 50; id++) arriveHex("40 02 00 " + id.toString(16).padStart(2, "0"));
    for (let id = 0; id < 50; id++) {
      expect<i32>(receive(HANDLE)).toBe(0x40);
      expect<u8>(load<u8>(passPacket(), 1)).toBe(<u8>id);
    }
    for (let byte = 64; byte < 128; byte++) expect<u8>(load<u8>(BLOCK + byte)).toBe(0xaa);
  });
  test("what no server may send ends the connection", () => {
    begin();
    arriveHex("10 00");
    expect<i32>(receive(HANDLE)).toBe(Status.ProtocolError);
    begin();
    arriveHex("30 80 80 80 80 01");
    expect<i32>(receive(HANDLE)).toBe(Status.ProtocolError);
    begin();
    arriveHex("30 03 00 05 61");
    expect<i32>(receive(HANDLE)).toBe(Status.ProtocolError);
  });
});

describe("messages", () => {
  test("one whole, with topic, payload, flags and id", () => {
    begin();
    arriveHex("3b 08 00 01 61 12 34 7b 20 7d");
    expect<i32>(receive(HANDLE)).toBe(EventKind.Message);
    expect<string>(eventText(EventField.Topic)).toBe("a");
    expect<string>(eventText(EventField.Payload)).toBe("{ }");
    expect<i32>(eventFlags()).toBe(EventFlag.Dup | EventFlag.Qos1 | EventFlag.Retain | EventFlag.Last);
    expect<i32>(eventId()).toBe(0x1234);
    expect<i32>(field(EventField.Total)).toBe(3);
    expect<i32>(field(EventField.Offset)).toBe(0);
    expect<bool>(lent != 0).toBe(true);
    takeBack();
    expect<bool>(lent != 0).toBe(false);
    expect<i32>(receive(HANDLE)).toBe(EventKind.None);
  });
  test("one without payload", () => {
    begin();
    arriveHex("30 03 00 01 61");
    expect<i32>(receive(HANDLE)).toBe(EventKind.Message);
    expect<i32>(field(EventField.PayloadLength)).toBe(0);
    expect<i32>(eventFlags()).toBe(EventFlag.Last);
    takeBack();
  });
  test("one that fills the buffer exactly comes whole", () => {
    begin();
    arriveHex("30 3e 00 01 61" + payload(0, 59));
    expect<i32>(receive(HANDLE)).toBe(EventKind.Message);
    expect<i32>(field(EventField.PayloadLength)).toBe(59);
    expect<i32>(eventFlags()).toBe(EventFlag.Last);
    takeBack();
  });
  test("a longer one comes in parts, every byte once and in its place, and what follows is not lost", () => {
    for (let length = 60; length <= 260; length += 40) {
      begin();
      const remaining = 3 + length;
      const header = remaining < 128 ? "30" + remaining.toString(16) : "30" + ((remaining & 127) | 128).toString(16) + (remaining >> 7).toString(16).padStart(2, "0");
      arriveHex(header + "000161" + payload(0, length) + "d000");
      let seen = 0;
      let parts = 0;
      while (seen < length && parts < 100) {
        const kind = receive(HANDLE);
        if (!kind) continue;
        expect<i32>(kind).toBe(EventKind.Message);
        expect<i32>(field(EventField.Total)).toBe(length);
        expect<i32>(field(EventField.Offset)).toBe(seen);
        expect<string>(eventText(EventField.Topic)).toBe("a");
        const part = field(EventField.PayloadLength);
        expect<string>(hexAt(field(EventField.Payload), part).replaceAll(" ", "")).toBe(payload(seen, part));
        seen += part;
        parts++;
        expect<i32>(eventFlags() & EventFlag.Last).toBe(seen == length ? EventFlag.Last : 0);
        expect<i32>(partLeft).toBe(length - seen);
        takeBack();
      }
      expect<i32>(seen).toBe(length);
      expect<bool>(parts > 1).toBe(true);
      expect<i32>(receive(HANDLE)).toBe(0xd0);
      passPacket();
      for (let byte = 64; byte < 128; byte++) expect<u8>(load<u8>(BLOCK + byte)).toBe(0xaa);
    }
  });
  test("a topic that leaves no room for parts is too large", () => {
    begin();
    arriveHex("30 64 00 3a" + payload(0x21, 58) + payload(0, 40));
    let found: i32 = EventKind.None;
    for (let step = 0; step < 4 && !found; step++) found = receive(HANDLE);
    expect<i32>(found).toBe(Status.TooLarge);
  });
  test("the rest of one in parts is passed without events", () => {
    begin();
    arriveHex("30 7f 00 01 61" + payload(0, 124) + "d000");
    expect<i32>(receive(HANDLE)).toBe(EventKind.Message);
    skipRest();
    takeBack();
    let found: i32 = EventKind.None;
    for (let step = 0; step < 10 && found != 0xd0; step++) {
      found = receive(HANDLE);
      if (!partLeft && lent) takeBack();
      expect<bool>(found == EventKind.None || found == 0xd0).toBe(true);
    }
    expect<i32>(found).toBe(0xd0);
    passPacket();
  });
});

describe("the end of a connection", () => {
  test("comes after all bytes were read", () => {
    begin();
    arriveHex("d0 00");
    set_receive_end(Status.ConnectionClosed);
    expect<i32>(receive(HANDLE)).toBe(0xd0);
    passPacket();
    expect<i32>(receive(HANDLE)).toBe(Status.ConnectionClosed);
    set_receive_end(0);
  });
  test("forgets half a packet", () => {
    begin();
    arriveHex("40 02 00");
    receive(HANDLE);
    expect<bool>(reset()).toBe(false);
    arriveHex("d0 00");
    expect<i32>(receive(HANDLE)).toBe(0xd0);
    passPacket();
  });
  test("says whether it cut a message off that somebody saw", () => {
    begin();
    arriveHex("30 7f 00 01 61" + payload(0, 59));
    expect<i32>(receive(HANDLE)).toBe(EventKind.Message);
    expect<bool>(reset()).toBe(true);
    discard();
    arriveHex("30 7f 00 01 61" + payload(0, 59));
    expect<i32>(receive(HANDLE)).toBe(EventKind.Message);
    skipRest();
    expect<bool>(reset()).toBe(false);
  });
});

describe("counters", () => {
  test("bytes and messages that arrived", () => {
    begin();
    const bytes = stat(Stat.BytesReceived);
    const messages = stat(Stat.MessagesReceived);
    arriveHex("30 03 00 01 61 d0 00");
    receive(HANDLE);
    takeBack();
    receive(HANDLE);
    expect<u32>(stat(Stat.BytesReceived) - bytes).toBe(7);
    expect<u32>(stat(Stat.MessagesReceived) - messages).toBe(1);
  });
});
