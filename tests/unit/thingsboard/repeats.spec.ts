// Sees server-side RPCs again, and others that only look alike.

import { readClock } from "../../../assembly/base/time";
import { isRepeated } from "../../../assembly/thingsboard/repeats";
import { putText, set_clock } from "../host";

const TEXT = memory.data(128, 8);

function comes(id: i32, payload: string): bool {
  const length = putText(TEXT, payload);
  putText(TEXT + length, "behind it"); // must not count
  return isRepeated(id, TEXT, length);
}

function comesBefore(id: i32, payload: string, behind: string): bool {
  const length = putText(TEXT, payload);
  putText(TEXT + length, behind);
  return isRepeated(id, TEXT, length);
}

function at(ms: i64): void {
  set_clock(ms);
  readClock();
}

describe("isRepeated", () => {
  test("the same id and payload, whatever lies behind it in memory", () => {
    at(1000);
    expect<bool>(comesBefore(1, '{"method":"m"}', "xxxxxxxxx")).toBe(false);
    expect<bool>(comesBefore(1, '{"method":"m"}', "yyyyyyyyy")).toBe(true);
    expect<bool>(comes(1, '{"method":"m"}')).toBe(true);
  });
  test("another id, or a payload that differs anywhere, is another RPC", () => {
    expect<bool>(comes(2, '{"method":"m"}')).toBe(false);
    expect<bool>(comes(1, '{"method":"n"}')).toBe(false);
    expect<bool>(comes(1, '{"method":"m","params":1}')).toBe(false);
    expect<bool>(comes(1, '{"method":"m","params":2}')).toBe(false);
    expect<bool>(comes(1, "")).toBe(false);
    expect<bool>(comes(1, '{"method":"m"} ')).toBe(false);
  });
  test("one bit that differs, wherever it is, at each length that an RPC can have around the steps of eight bytes", () => {
    let wrong = 0;
    for (let length = 9; length <= 33; length++) {
      for (let bit = 0; bit < 8 * length; bit++) {
        memory.fill(TEXT, 0x61, 64);
        isRepeated(3, TEXT, length);
        store<u8>(TEXT + (bit >> 3), 0x61 ^ (<u8>1 << <u8>(bit & 7)));
        if (isRepeated(3, TEXT, length)) wrong++;
      }
    }
    expect<i32>(wrong).toBe(0);
  });
  test("each of eight is remembered, and the ninth takes the place of the first", () => {
    for (let id = 10; id < 18; id++) expect<bool>(comes(id, "{}")).toBe(false);
    for (let id = 10; id < 18; id++) expect<bool>(comes(id, "{}")).toBe(true);
    expect<bool>(comes(18, "{}")).toBe(false);
    expect<bool>(comes(11, "{}")).toBe(true);
    expect<bool>(comes(10, "{}")).toBe(false);
  });
  test("for a minute since it came last, across the wrap of the clock", () => {
    at((<i64>1 << 32) - 30000);
    expect<bool>(comes(20, "{}")).toBe(false);
    at((<i64>1 << 32) + 29999);
    expect<bool>(comes(20, "{}")).toBe(true);
    at((<i64>1 << 32) + 89998);
    expect<bool>(comes(20, "{}")).toBe(true);
    at((<i64>1 << 32) + 149998);
    expect<bool>(comes(20, "{}")).toBe(false);
  });
});
