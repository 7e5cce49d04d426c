// Compares the checksum with the check value of its catalogue entry, CRC-32/ISO-HDLC.

import { crc32 } from "../../../assembly/base/crc32";
import { putText } from "../host";

const BUFFER: usize = heap.alloc(16);

describe("crc32", () => {
  test("the check value", () => {
    expect<u32>(crc32(BUFFER, putText(BUFFER, "123456789"))).toBe(0xcbf43926);
  });
  test("of nothing", () => {
    expect<u32>(crc32(BUFFER, 0)).toBe(0);
  });
});
