// Proves that regions lie apart, that carving keeps alignment and order, and that counters wrap.

import { ErrorField, EventField, JsonField, LANE_CAPACITY, RecordsField, Stat, Status } from "../../assembly/abi";
import {
  carve, carved, carveFrom, count, countBy, DIGITS_END, ERROR_RECORD, EVENT, fail, JSON_VALUE, LANE, RECORDS, STATS, TEXTS, TIMERS,
} from "../../assembly/memory";
import { Setting } from "../../assembly/client/settings";
import { Timer } from "../../assembly/base/time";

describe("regions", () => {
  test("no two of them overlap, and what holds words is aligned", () => {
    const starts: usize[] = [TIMERS, JSON_VALUE, EVENT, ERROR_RECORD, STATS, LANE, TEXTS, DIGITS_END - 24, RECORDS];
    const sizes: usize[] = [
      Timer.End, JsonField.End, EventField.End, ErrorField.End, Stat.End, LANE_CAPACITY, Setting.Tls * 8, 24, RecordsField.End,
    ];
    for (let one = 0; one < starts.length; one++) {
      for (let other = 0; other < one; other++) {
        expect<bool>(starts[one] + sizes[one] <= starts[other] || starts[other] + sizes[other] <= starts[one]).toBe(true);
      }
      if (starts[one] != DIGITS_END - 24) expect<usize>(starts[one] & 3).toBe(0);
    }
  });
});

describe("carve", () => {
  test("a block begins at the next multiple of eight", () => {
    for (let from: usize = 4096; from <= 4104; from++) {
      carveFrom(from);
      expect<usize>(carved).toBe(from == 4096 ? 4096 : 4104);
    }
  });
  test("each piece begins where the one before ended, rounded up to eight", () => {
    carveFrom(4096);
    expect<usize>(carve(1)).toBe(4096);
    expect<usize>(carve(8)).toBe(4104);
    expect<usize>(carve(0)).toBe(4112);
    expect<usize>(carve(9)).toBe(4112);
    expect<usize>(carved).toBe(4128);
  });
  test("carving only counts, so that the bytes needed are known beyond the end of memory", () => {
    carveFrom(4096);
    carve(0x0fffffff);
    expect<usize>(carved).toBe(4096 + 0x10000000);
  });
});

describe("counters", () => {
  test("count adds one, countBy any amount, to that counter alone", () => {
    memory.fill(STATS, 0, Stat.End);
    count(Stat.Connects);
    count(Stat.Connects);
    countBy(Stat.BytesSent, 70000);
    countBy(Stat.BytesSent, 1);
    for (let stat = 0; stat < <i32>Stat.End; stat += 4) {
      expect<u32>(load<u32>(STATS + stat)).toBe(stat == Stat.Connects ? 2 : stat == Stat.BytesSent ? 70001 : 0);
    }
  });
  test("a counter wraps, as the ABI says", () => {
    store<u32>(STATS, 0xffffffff, Stat.BytesReceived);
    countBy(Stat.BytesReceived, 3);
    expect<u32>(load<u32>(STATS, Stat.BytesReceived)).toBe(2);
    store<u32>(STATS, 0xffffffff, Stat.Connects);
    count(Stat.Connects);
    expect<u32>(load<u32>(STATS, Stat.Connects)).toBe(0);
  });
});

describe("fail", () => {
  test("fills the whole error record and passes the status on", () => {
    memory.fill(ERROR_RECORD, 0xff, ErrorField.End);
    expect<i32>(fail(Status.TooLarge, -5, 4096, 7)).toBe(Status.TooLarge);
    expect<u32>(load<u32>(ERROR_RECORD, ErrorField.Text)).toBe(4096);
    expect<u32>(load<u32>(ERROR_RECORD, ErrorField.TextLength)).toBe(7);
    expect<i32>(load<i32>(ERROR_RECORD, ErrorField.Value)).toBe(-5);
  });
});
