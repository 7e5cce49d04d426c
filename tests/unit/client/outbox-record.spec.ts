// Reads records that are laid out byte by byte, and counts what their packets cost.

import { after, costOf, idOf, isForChildren, isRequest, lengthOf, Mark, markOf, packetEnd, packetOf, setLength, setMark } from "../../../assembly/client/outbox-record";
import { putHex } from "../host";

const RECORD = memory.data(256, 8);
/** In place of the cost: nobody has looked at the packet yet. */
const UNCOUNTED: i32 = 0xfff;
/** What a gateway sends for its children: their values. */
const CHILD_VALUES: i32 = 0xffd;

/** Lays out a record: its head behind the length, and a packet. */
function lay(head: string, packet: string, cost: i32): void {
  memory.fill(RECORD, 0, 256);
  putHex(RECORD + 4, head);
  setLength(RECORD, putHex(packetOf(RECORD), packet), cost);
}

// PUBLISH at QoS 1, topic "t", packet id 7, payload {"a":1,"b":[2]}
const TWO_POINTS = "32 14 00 01 74 00 07 7b 22 61 22 3a 31 2c 22 62 22 3a 5b 32 5d 7d";
// The same at QoS 0, one byte shorter than a multiple of four
const AT_QOS_0 = "30 05 00 01 74 7b 7d";

describe("a record", () => {
  test("keeps id, mark and packet", () => {
    lay("07 00 03 02 00 00 00 00", TWO_POINTS, 0);
    expect(idOf(RECORD)).toBe(7);
    expect(markOf(RECORD)).toBe(Mark.Sent);
    expect(lengthOf(RECORD)).toBe(22);
    expect(load<u8>(packetOf(RECORD))).toBe(0x32);
    expect(load<u8>(packetEnd(RECORD) - 1)).toBe(0x7d);
    setMark(RECORD, Mark.Free);
    expect(markOf(RECORD)).toBe(Mark.Free);
    expect(load<u8>(RECORD, 7)).toBe(2, "closes beside the mark");
  });

  test("is followed by the next one at a multiple of four", () => {
    lay("07 00 01 00", TWO_POINTS, 0);
    expect(after(RECORD)).toBe(RECORD + 12 + 24);
    lay("00 00 01 00", AT_QOS_0, 0);
    expect(after(RECORD)).toBe(RECORD + 12 + 8);
  });

  test("is a request by the highest bit of its packet", () => {
    lay("01 80 02 00", "82 06 80 01 00 01 61 01", 0);
    expect(isRequest(RECORD)).toBe(true);
    lay("07 00 01 00", TWO_POINTS, 0);
    expect(isRequest(RECORD)).toBe(false);
  });
});

describe("the cost of a packet", () => {
  test("is counted at the first look, and kept", () => {
    lay("07 00 01 00", TWO_POINTS, UNCOUNTED);
    expect(costOf(RECORD, 0)).toBe(2);
    store<u8>(packetOf(RECORD) + 7, 0x5b); // no object any more: a second look would find nothing
    expect(costOf(RECORD, 0)).toBe(2);
    expect(lengthOf(RECORD)).toBe(22, "the length stays");
  });

  test("is nothing for what has no data points", () => {
    lay("00 00 01 00", AT_QOS_0, UNCOUNTED);
    expect(costOf(RECORD, 0)).toBe(0);
  });

  test("is looked at each time for what goes out for children", () => {
    // PUBLISH, topic "t", payload {"A":[{"x":1}]}
    lay("00 00 01 00", "30 12 00 01 74 7b 22 41 22 3a 5b 7b 22 78 22 3a 31 7d 5d 7d", CHILD_VALUES);
    expect(isForChildren(RECORD)).toBe(true);
    expect(costOf(RECORD, 0)).toBe(1);
    expect(costOf(RECORD, 0)).toBe(1);
    expect(isForChildren(RECORD)).toBe(true);
  });
});
