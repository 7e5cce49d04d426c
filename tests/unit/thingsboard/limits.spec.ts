// Reads answers to getSessionLimits, of this server and of older ones, and looks at what may leave.

import { readClock } from "../../../assembly/base/time";
import { admit, maxRemainingLength } from "../../../assembly/client/limits";
import { LIMITS } from "../../../assembly/memory";
import { readLimits } from "../../../assembly/thingsboard/limits";
import { putText, set_clock } from "../host";

const TEXT = memory.data(512, 8);

function fresh(json: string): void {
  memory.fill(LIMITS, 0, 280);
  set_clock(100000);
  readClock();
  answer(json);
}

function answer(json: string): void {
  readLimits(TEXT, putText(TEXT, json));
}

function burst(points: i32): i32 {
  let count = 0;
  while (count < 1000 && !admit(points)) count++;
  return count;
}

describe("readLimits", () => {
  test("a device with limits", () => {
    fresh('{"maxPayloadSize":65536,"maxInflightMessages":100,"rateLimits":{"messages":"20:1,600:60","telemetryMessages":"10:1","telemetryDataPoints":"100:1"}}');
    expect<i32>(burst(0)).toBe(16);
    expect<i32>(burst(1)).toBe(8);
    set_clock(101000);
    readClock();
    expect<i32>(burst(40)).toBe(2);
    expect<i32>(maxRemainingLength).toBe(65536);
  });
  test("a device without limits", () => {
    fresh('{"maxPayloadSize":65536,"maxInflightMessages":100,"rateLimits":{"messages":null,"telemetryMessages":null,"telemetryDataPoints":null}}');
    expect<i32>(burst(0)).toBe(1000);
    expect<i32>(burst(7)).toBe(1000);
  });
  test("the members in any order, some absent, limits of children passed", () => {
    fresh('{"gatewayRateLimits":{"messages":"1:100","telemetryMessages":"1:100"},"rateLimits":{"telemetryMessages":"5:1","messages":"10:1"}}');
    expect<i32>(burst(0)).toBe(8);
    expect<i32>(burst(500)).toBe(4);
  });
  test("the name of early servers", () => {
    fresh('{"rateLimit":{"messages":"10:1"}}');
    expect<i32>(burst(0)).toBe(8);
  });
  test("null and an empty text lift a limit, absence leaves it", () => {
    fresh('{"rateLimits":{"messages":"10:1","telemetryMessages":"5:1"}}');
    answer('{"rateLimits":{"messages":null}}');
    expect<i32>(burst(0)).toBe(1000);
    expect<i32>(burst(1)).toBe(4);
    answer('{"rateLimits":{"telemetryMessages":""}}');
    expect<i32>(burst(1)).toBe(1000);
  });
  test("what is no limit changes nothing", () => {
    fresh('{"rateLimits":{"messages":"10:1"}}');
    answer('{"error":"timeout"}');
    answer('{"rateLimits":null,"maxPayloadSize":"big"}');
    answer('{"rateLimits":{"messages":5}}');
    answer('{"rateLimits":{"messages":{"messages":[]}},"maxPayloadSize":1.5}');
    answer('"messages"');
    answer('[{"maxPayloadSize":0}]');
    expect<i32>(burst(0)).toBe(8);
    expect<i32>(maxRemainingLength).toBe(65536);
  });
});
