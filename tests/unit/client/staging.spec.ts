// Checks spans around both ends of the staging area.

import { RecordsField } from "../../../assembly/abi";
import { address, holds } from "../../../assembly/client/staging";
import { RECORDS } from "../../../assembly/memory";

const AREA = memory.data(64, 8);
const CAPACITY: i32 = 64;

function lend(): void {
  store<usize>(RECORDS, AREA, RecordsField.Staging);
  store<i32>(RECORDS, CAPACITY, RecordsField.StagingCapacity);
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
