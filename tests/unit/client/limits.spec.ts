// Spends tokens against limits of one and of several buckets, on a clock of its own.

import { readClock } from "../../../assembly/base/time";
import { admit, beginSession, FREE, Limit, setLimit, spend, spendInTime } from "../../../assembly/client/limits";
import { LIMITS, LIMITS_SIZE } from "../../../assembly/memory";
import { putText, set_clock } from "../host";

const TEXT = memory.data(256, 8);

function limit(which: i32, text: string): bool {
  return setLimit(which, TEXT, putText(TEXT, text));
}

function at(ms: i64): void {
  set_clock(ms);
  readClock();
}

/** A session of its own with no limit, in which nothing was spent. */
function fresh(): void {
  memory.fill(LIMITS, 0, LIMITS_SIZE);
  at(100000);
}

/** How many plain messages may leave at once. */
function burst(points: i32 = 0): i32 {
  let count = 0;
  while (count < 1000 && !admit(points)) count++;
  return count;
}

describe("setLimit", () => {
  test("texts that are limits", () => {
    fresh();
    const texts = ["", "20:1", "20:1,600:60", "20:1;600:60", "20:1,600:60,", "1:1,2:2,3:3,4:4", "0:0", "10:0", "0:5", ",;,", "4294967296:99999999999"];
    for (let index = 0; index < texts.length; index++) expect<bool>(limit(Limit.Messages, texts[index])).toBe(true, texts[index]);
  });
  test("texts that are none", () => {
    fresh();
    const texts = ["20", "a", "20:1:3", "20:1 ,3:4", "-1:1", "1.5:1", "20,1:1", "1:1,2:2,3:3,4:4,5:5", "20:1,x"];
    for (let index = 0; index < texts.length; index++) expect<bool>(limit(Limit.Messages, texts[index])).toBe(false, texts[index]);
  });
  test("an empty text and zeros lift a limit", () => {
    fresh();
    limit(Limit.Messages, "5:1");
    expect<i32>(burst()).toBe(4);
    limit(Limit.Messages, "0:0");
    expect<i32>(burst()).toBe(1000);
    limit(Limit.Messages, "5:1");
    limit(Limit.Messages, "");
    expect<i32>(burst()).toBe(1000);
  });
});

describe("admit", () => {
  test("four fifths of what the server allows, rounded down, and never nothing", () => {
    const texts = ["10:1", "20:1", "7:1", "2:1", "1:1", "600:60"];
    const expected = [8, 16, 5, 1, 1, 480];
    for (let index = 0; index < texts.length; index++) {
      fresh();
      limit(Limit.Messages, texts[index]);
      expect<i32>(burst()).toBe(expected[index], texts[index]);
    }
  });
  test("tokens come back one by one, and the wait is until the next", () => {
    fresh();
    limit(Limit.Messages, "10:1"); // 8 in a second: one in 125 ms
    burst();
    expect<i32>(admit(0)).toBe(125);
    at(100124);
    expect<i32>(admit(0)).toBe(1);
    at(100125);
    expect<i32>(admit(0)).toBe(0);
    expect<i32>(admit(0)).toBe(125);
    at(100625);
    expect<i32>(burst()).toBe(4);
    at(200000);
    expect<i32>(burst()).toBe(8);
  });
  test("every bucket has to allow it", () => {
    fresh();
    limit(Limit.Messages, "10:1,20:60"); // 8 at once, 16 in a minute
    expect<i32>(burst()).toBe(8);
    at(101000);
    expect<i32>(burst()).toBe(8);
    at(102000);
    expect<i32>(admit(0)).toBe(1750); // one in 3,750 ms since the first second
  });
  test("telemetry spends messages of its own, and its data points", () => {
    fresh();
    limit(Limit.Messages, "1:1");
    limit(Limit.TelemetryMessages, "5:1");
    limit(Limit.DataPoints, "100:1");
    expect<i32>(burst(1)).toBe(4);
    expect<i32>(burst(0)).toBe(1);
    at(101000);
    expect<i32>(burst(40)).toBe(2);
    expect<i32>(admit(40)).toBe(500);
    expect<i32>(admit(1)).toBe(13); // 80 in a second: one in 12.5 ms
  });
  test("more points than the bucket holds pass when it is full, and are paid afterwards", () => {
    fresh();
    limit(Limit.DataPoints, "10:1"); // 8 in a second
    expect<i32>(admit(80)).toBe(0);
    expect<i32>(admit(1)).toBe(9125);
    at(109125);
    expect<i32>(admit(1)).toBe(0);
    expect<i32>(admit(80)).toBe(1000);
    at(110125);
    expect<i32>(admit(80)).toBe(0);
  });
  test("what costs nothing passes always", () => {
    fresh();
    limit(Limit.Messages, "1:100");
    burst();
    expect<i32>(admit(FREE)).toBe(0);
    expect<i32>(admit(0) > 0).toBe(true);
  });
});

/** Spends for children: plain messages, messages of telemetry, data points. 0, or the wait. */
function admitChildren(messages: i32, telemetry: i32, points: i32): i32 {
  return spendInTime(Limit.ChildMessages, messages, telemetry, points);
}

describe("what a gateway sends for its children", () => {
  test("has the same three limits once more, and the two do not touch each other", () => {
    fresh();
    limit(Limit.Messages, "5:1");
    limit(Limit.ChildMessages, "10:1");
    limit(Limit.ChildMessages + Limit.TelemetryMessages, "20:1");
    limit(Limit.ChildMessages + Limit.DataPoints, "100:1");
    expect<i32>(admitChildren(8, 0, 0)).toBe(0);
    expect<i32>(admitChildren(1, 0, 0)).toBe(125);
    expect<i32>(burst()).toBe(4);
    expect<i32>(admitChildren(0, 16, 1)).toBe(0);
    expect<i32>(admitChildren(0, 1, 1)).toBe(63); // 16 in a second
    expect<i32>(burst(1)).toBe(1000);
  });
  test("a message waits for the slowest of the three, and spends nothing while it does", () => {
    fresh();
    limit(Limit.ChildMessages, "10:1");
    limit(Limit.ChildMessages + Limit.TelemetryMessages, "20:1");
    limit(Limit.ChildMessages + Limit.DataPoints, "100:1");
    expect<i32>(admitChildren(2, 2, 80)).toBe(0);
    expect<i32>(admitChildren(2, 2, 40)).toBe(500); // 80 in a second
    expect<i32>(admitChildren(6, 0, 0)).toBe(0);
    expect<i32>(admitChildren(8, 14, 8)).toBe(1000);
    expect<i32>(admitChildren(0, 14, 0)).toBe(0);
    at(100500);
    expect<i32>(admitChildren(4, 8, 40)).toBe(0);
    expect<i32>(admitChildren(1, 1, 1)).toBe(125);
  });
});

describe("a session", () => {
  test("spends for its CONNECT and for the end of the one before", () => {
    fresh();
    limit(Limit.Messages, "10:1");
    beginSession();
    expect<i32>(burst()).toBe(6);
  });
  test("has paid what it sent before the limit was known", () => {
    fresh();
    beginSession();
    for (let count = 0; count < 3; count++) admit(0);
    limit(Limit.Messages, "10:1");
    expect<i32>(burst()).toBe(3);
    fresh();
    beginSession();
    for (let count = 0; count < 20; count++) admit(0);
    limit(Limit.Messages, "10:1");
    expect<i32>(admit(0)).toBe(1875); // 22 of 8: 14 and one more are owed, at 125 ms each
  });
  test("hears the same limit again without a gift, and another one with what this session spent", () => {
    fresh();
    limit(Limit.Messages, "10:1,100:60");
    burst();
    beginSession();
    limit(Limit.Messages, "10:1,100:60");
    expect<i32>(admit(0)).toBe(375); // two for the CONNECT
    limit(Limit.Messages, "20:1");
    expect<i32>(burst()).toBe(14);
  });
  test("what the client spends by the way counts too", () => {
    fresh();
    limit(Limit.Messages, "10:1");
    spend(Limit.Messages, 5);
    expect<i32>(burst()).toBe(3);
  });
});

describe("the clock", () => {
  test("does not wrap: after 50 days, or 200, a bucket is full", () => {
    fresh();
    limit(Limit.Messages, "10:1");
    burst();
    at(100000 + (<i64>1 << 32));
    expect<i32>(burst()).toBe(8);
    at(100000 + (<i64>1 << 34));
    expect<i32>(burst()).toBe(8);
  });
  test("a wait is never longer than timers run", () => {
    fresh();
    limit(Limit.Messages, "1:16000000");
    expect<i32>(admit(0)).toBe(0);
    expect<i32>(admit(0)).toBe(0x3fffffff);
  });
});
