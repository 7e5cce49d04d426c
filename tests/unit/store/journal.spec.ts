// Writes and reads the journal over flash that keeps the rules of NOR, and cuts the power at every byte that changes.

import { Status } from "../../../assembly/abi";
import { beginRead, beginWrite, BUSY, MORE, PAYLOAD, payloadLength, step } from "../../../assembly/store/journal";
import { putText, set_busy, set_power, set_store, set_store_at, store_at, store_checksum, textAt } from "../host";

const CAPACITY = 128;
const BUFFER: usize = heap.alloc(256);
const UNIT = 256;

function run(): i32 {
  for (let steps = 0; steps < 100; steps++) {
    const status = step(BUFFER);
    if (status != BUSY && status != MORE) return status;
  }
  return MORE;
}

/** What a fresh instance finds. */
function find(): string {
  memory.fill(BUFFER, 0xaa, 256);
  beginRead(CAPACITY);
  const status = run();
  if (status == Status.Ok) return textAt(BUFFER + PAYLOAD, payloadLength(BUFFER));
  return status == Status.NotFound ? "nothing" : status == Status.Malformed ? "malformed" : "failure " + status.toString();
}

function write(text: string): i32 {
  beginWrite(BUFFER, putText(BUFFER + PAYLOAD, text));
  return run();
}

function u32At(offset: i32): u32 {
  return store_at(offset) | ((<u32>store_at(offset + 1)) << 8) | ((<u32>store_at(offset + 2)) << 16) | ((<u32>store_at(offset + 3)) << 24);
}

describe("journal", () => {
  test("no area, and areas that cannot hold two units", () => {
    set_store(0, UNIT, 4);
    expect<string>(find()).toBe("nothing");
    expect<i32>(write("a")).toBe(Status.NotFound);
    set_store(UNIT, UNIT, 4);
    expect<string>(find()).toBe("failure -19");
    expect<i32>(write("a")).toBe(Status.StoreFailed);
    set_store(2 * UNIT, UNIT, 0);
    expect<string>(find()).toBe("failure -19");
  });
  test("an erased area holds nothing; what was written is found by the next instance", () => {
    set_store(2 * UNIT, UNIT, 4);
    expect<string>(find()).toBe("nothing");
    expect<i32>(write("first")).toBe(Status.Ok);
    expect<string>(find()).toBe("first");
  });
  test("the bytes of ABI.md, section 11; the checksum is that of zlib", () => {
    set_store(2 * UNIT, UNIT, 4);
    find();
    write("abcde");
    expect<u32>(u32At(0)).toBe(store_checksum(4, 21));
    expect<u32>(u32At(4)).toBe(0x45544f4d);
    expect<u32>(u32At(8)).toBe(1 | (9 << 16));
    expect<u32>(u32At(12)).toBe(1);
    expect<u32>(u32At(16)).toBe(1 | (5 << 16));
    expect<u8>(store_at(24)).toBe(0x65);
    for (let offset = 25; offset < UNIT; offset++) expect<u8>(store_at(offset)).toBe(0xff);
  });
  test("units are used by turns, and the last one is found whichever it is", () => {
    set_store(3 * UNIT, UNIT, 16);
    find();
    for (let round = 1; round < 8; round++) {
      expect<i32>(write("value " + round.toString())).toBe(Status.Ok);
      expect<u32>(u32At(((round - 1) % 3) * UNIT + 12)).toBe(<u32>round);
      expect<string>(find()).toBe("value " + round.toString());
    }
  });
  test("a record of no bytes is none, and outlives the one before it", () => {
    set_store(2 * UNIT, UNIT, 4);
    find();
    write("secret");
    beginWrite(BUFFER, 0);
    expect<i32>(run()).toBe(Status.Ok);
    expect<string>(find()).toBe("nothing");
  });
  test("power cut at every byte: the old value or the new one, and never neither", () => {
    let isNew = false;
    for (let cut = 0; !isNew; cut++) {
      set_store(2 * UNIT, UNIT, 4);
      find();
      write("one");
      write("two");
      find();
      set_power(cut);
      isNew = write("three") == Status.Ok;
      set_power(-1);
      const found = find();
      expect<bool>(found == "three" || (found == "two" && !isNew)).toBe(true);
      // The next write goes on from either.
      expect<i32>(write("four")).toBe(Status.Ok);
      expect<string>(find()).toBe("four");
    }
  });
  test("power cut at every byte of the first write: nothing, or what was written", () => {
    let isNew = false;
    for (let cut = 0; !isNew; cut++) {
      set_store(2 * UNIT, UNIT, 4);
      find();
      set_power(cut);
      isNew = write("one") == Status.Ok;
      set_power(-1);
      const found = find();
      expect<bool>(found == "one" || (!isNew && (found == "nothing" || found == "malformed"))).toBe(true);
    }
  });
  test("a port that is busy every other time", () => {
    set_store(2 * UNIT, UNIT, 4);
    set_busy(true);
    find();
    expect<i32>(write("patience")).toBe(Status.Ok);
    expect<string>(find()).toBe("patience");
    set_busy(false);
  });
  test("what is foreign or damaged is told from nothing, at every byte, and is written over", () => {
    for (let offset = 0; offset < 25; offset++) {
      set_store(2 * UNIT, UNIT, 4);
      find();
      write("abcde");
      set_store_at(offset, store_at(offset) ^ 0x10);
      expect<string>(find()).toBe("malformed");
      expect<i32>(write("again")).toBe(Status.Ok);
      expect<string>(find()).toBe("again");
    }
  });
  test("what is damaged between both readings ends the search", () => {
    set_store(2 * UNIT, UNIT, 4);
    find();
    write("abcde");
    beginRead(CAPACITY);
    for (let unit = 0; unit < 2; unit++) expect<i32>(step(BUFFER)).toBe(MORE);
    set_store_at(20, 0);
    expect<i32>(run()).toBe(Status.Malformed);
  });
  test("what does not fit the buffer is refused before anything is erased", () => {
    set_store(2 * UNIT, UNIT, 4);
    find();
    write("old");
    find();
    beginWrite(BUFFER, CAPACITY - <i32>PAYLOAD + 1);
    expect<i32>(run()).toBe(Status.TooLarge);
    expect<string>(find()).toBe("old");
  });
});
