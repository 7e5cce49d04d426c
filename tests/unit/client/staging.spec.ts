// Checks spans around both ends of the staging area, and options records that are none.

import { RecordsField } from "../../../assembly/abi";
import { setSetting, Setting } from "../../../assembly/client/settings";
import { address, holds, publishFlags } from "../../../assembly/client/staging";
import { RECORDS } from "../../../assembly/memory";

const AREA = memory.data(64, 8);
const CAPACITY: i32 = 64;

function lend(): void {
  store<usize>(RECORDS, AREA, RecordsField.Staging);
  store<i32>(RECORDS, CAPACITY, RecordsField.StagingCapacity);
}

/** The flags that an options record at an address asks for. */
function flags(at: usize, size: i32, qos: i32, retain: i32): u32 {
  store<u16>(at, size);
  store<u8>(at, qos, 2);
  store<u8>(at, retain, 3);
  return publishFlags(at);
}

describe("holds", () => {
  test("every span within the area and around it", () => {
    lend();
    expect<usize>(address()).toBe(AREA);
    let wrong = 0;
    for (let offset = -4; offset <= CAPACITY + 4; offset++) {
      for (let length = 0; length <= CAPACITY + 4; length++) {
        const isInside = offset >= 0 && offset + length <= CAPACITY;
        if (holds(AREA + offset, length) != isInside) wrong++;
      }
    }
    expect<i32>(wrong).toBe(0);
  });
  test("lengths below zero, and spans that wrap around", () => {
    lend();
    expect<bool>(holds(AREA, -1)).toBe(false);
    expect<bool>(holds(AREA + 8, -8)).toBe(false);
    expect<bool>(holds(AREA, i32.MIN_VALUE)).toBe(false);
    expect<bool>(holds(AREA - 1, 1)).toBe(false);
    expect<bool>(holds(0, 0)).toBe(false);
    expect<bool>(holds(usize.MAX_VALUE, 2)).toBe(false);
  });
});

describe("publishFlags", () => {
  test("without options the configured QoS, no retain", () => {
    lend();
    setSetting(Setting.Qos, 1);
    expect<u32>(publishFlags(0)).toBe(2);
    setSetting(Setting.Qos, 0);
    expect<u32>(publishFlags(0)).toBe(0);
  });
  test("each QoS with and without retain (MQTT 3.1.1, 3.3.1)", () => {
    lend();
    expect<u32>(flags(AREA, 4, 0, 0)).toBe(0);
    expect<u32>(flags(AREA, 4, 0, 1)).toBe(1);
    expect<u32>(flags(AREA, 4, 1, 0)).toBe(2);
    expect<u32>(flags(AREA, 4, 1, 1)).toBe(3);
  });
  test("QoS 2 and more is no value", () => {
    lend();
    for (let qos = 2; qos < 256; qos++) expect<bool>(flags(AREA, 4, qos, 0) > 3).toBe(true);
  });
  test("a longer record of a later version is one, a shorter one is none", () => {
    lend();
    expect<u32>(flags(AREA, 8, 1, 0)).toBe(2);
    expect<bool>(flags(AREA, 3, 1, 0) > 3).toBe(true);
    expect<bool>(flags(AREA, 0, 1, 0) > 3).toBe(true);
  });
  test("a record that is not wholly in the area is none", () => {
    lend();
    expect<u32>(flags(AREA + CAPACITY - 4, 4, 1, 0)).toBe(2);
    expect<bool>(publishFlags(AREA + CAPACITY - 3) > 3).toBe(true);
    expect<bool>(publishFlags(AREA - 1) > 3).toBe(true);
    expect<bool>(publishFlags(8) > 3).toBe(true);
  });
});
