// Reads answers to getSessionLimits, of this server and of older ones, and looks at what may leave.

import { readClock } from "../../../assembly/base/time";
import { admit, isUnlimited, Limit, maxRemainingLength, spendInTime } from "../../../assembly/client/limits";
import { LIMITS, LIMITS_SIZE } from "../../../assembly/memory";
import { readLimits } from "../../../assembly/thingsboard/limits";
import { putText, set_clock } from "../host";

const TEXT = memory.data(512, 8);

function fresh(json: string): void {
  memory.fill(LIMITS, 0, LIMITS_SIZE);
  set_clock(100000);
  readClock();
  answer(json);
}

function answer(json: string): void {
  readLimits(TEXT, putText(TEXT, json));
}

/** How many plain messages may leave for children, and how many of telemetry with so many points. */
function childBurst(points: i32): i32 {
  const limit: i32 = Limit.ChildMessages + (points ? <i32>Limit.TelemetryMessages : 0);
  let count = 0;
  while (count < 1000 && !spendInTime(limit, 1, points, 0)) count++;
  return count;
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
  test("what a gateway sends for its children has limits beside its own", () => {
    fresh('{"rateLimits":{"messages":"20:1","telemetryMessages":null,"telemetryDataPoints":null},"gatewayRateLimits":{"messages":"10:1","telemetryMessages":"5:1","telemetryDataPoints":"50:1"}}');
    expect<i32>(burst(0)).toBe(16);
    expect<i32>(burst(7)).toBe(1000);
    expect<i32>(childBurst(0)).toBe(8);
    expect<i32>(childBurst(10)).toBe(4);
    expect<bool>(isUnlimited).toBe(false);
  });
  test("they stand before the own ones, or alone, and are lifted and left like those", () => {
    fresh('{"gatewayRateLimits":{"telemetryMessages":"5:1","messages":"10:1"},"maxPayloadSize":65536,"rateLimits":{"messages":null}}');
    expect<i32>(burst(0)).toBe(1000);
    expect<i32>(childBurst(0)).toBe(8);
    expect<i32>(childBurst(7)).toBe(4);
    answer('{"gatewayRateLimits":{"messages":null}}');
    expect<i32>(childBurst(0)).toBe(1000);
    expect<i32>(childBurst(7)).toBe(0);
    answer('{"gatewayRateLimits":{"telemetryMessages":""}}');
    expect<i32>(childBurst(7)).toBe(1000);
    expect<bool>(isUnlimited).toBe(true);
  });
  test("what are no limits of children leaves them", () => {
    fresh('{"gatewayRateLimits":{"messages":"10:1"}}');
    answer('{"gatewayRateLimits":null}');
    answer('{"rateLimits":{"messages":null}}');
    answer('{"rateLimit":{"messages":"1000:1"}}');
    answer('{"gatewayRateLimits":{"gatewayRateLimits":{"gatewayRateLimits":{"messages":null}}}}');
    answer('{"gatewayRateLimits":"20:1"}');
    answer('{"gatewayRateLimits":[]}');
    expect<i32>(childBurst(0)).toBe(8);
  });
  test("limits of children alone are limits", () => {
    const names = ["messages", "telemetryMessages", "telemetryDataPoints"];
    for (let index = 0; index < names.length; index++) {
      fresh('{"gatewayRateLimits":{"' + names[index] + '":"10:1"}}');
      expect<bool>(isUnlimited).toBe(false, names[index]);
    }
    fresh('{"rateLimits":{"messages":""},"gatewayRateLimits":{"messages":null}}');
    expect<bool>(isUnlimited).toBe(true);
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
