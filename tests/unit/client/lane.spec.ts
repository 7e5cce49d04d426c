// Fills the lane and empties it: it always takes what may still follow when it says that it has no room.

import { LANE_CAPACITY } from "../../../assembly/abi";
import { clear, end, hasRoom, isEmpty, putEmpty, putPuback, take } from "../../../assembly/client/lane";
import { LANE } from "../../../assembly/memory";
import { Packet } from "../../../assembly/mqtt/packet";
import { hexAt } from "../host";

/** What waits, in hexadecimal. */
function taken(): string {
  const from = take();
  return hexAt(from, <i32>(end - from));
}

describe("the lane", () => {
  test("PUBACK, PINGREQ and DISCONNECT as MQTT 3.1.1 shows them (3.4, 3.12, 3.14)", () => {
    clear();
    putPuback(0x1234);
    putEmpty(Packet.Pingreq);
    putPuback(1);
    putEmpty(Packet.Disconnect);
    expect<string>(taken()).toBe("40 02 12 34 c0 00 40 02 00 01 e0 00");
  });
  test("nothing is taken twice, and what follows is taken by itself", () => {
    clear();
    putPuback(1);
    expect<string>(taken()).toBe("40 02 00 01");
    putPuback(2);
    expect<string>(taken()).toBe("40 02 00 02");
    expect<string>(taken()).toBe("");
  });
  test("once all is taken and asked for again, the whole lane is free", () => {
    clear();
    for (let round = 0; round < 100; round++) {
      putPuback(round);
      expect<i32>(taken().length).toBe(11);
      expect<string>(taken()).toBe("");
      expect<bool>(hasRoom()).toBe(true);
    }
  });
  test("while it has room it takes a PUBACK, and a PINGREQ and a DISCONNECT beyond that", () => {
    clear();
    let count = 0;
    while (hasRoom() && count < 100) {
      putPuback(0xffff);
      count++;
    }
    expect<bool>(count > 8).toBe(true);
    expect<bool>(end + 4 <= LANE + LANE_CAPACITY).toBe(true);
    putEmpty(Packet.Pingreq);
    putEmpty(Packet.Disconnect);
    expect<bool>(end <= LANE + LANE_CAPACITY).toBe(true);
    expect<bool>(hasRoom()).toBe(false);
    expect<bool>(isEmpty()).toBe(false);
    clear();
    expect<bool>(isEmpty()).toBe(true);
    expect<bool>(hasRoom()).toBe(true);
    expect<string>(taken()).toBe("");
  });
});
