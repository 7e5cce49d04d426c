// Names children to the server, which knows them until the session ends.

import { forgetChildren, isStranger } from "../../../assembly/client/known";
import { Limit } from "../../../assembly/client/limits";
import { LIMITS } from "../../../assembly/memory";
import { putText } from "../host";

const TEXT = memory.data(128, 8);

function stranger(name: string, introduces: i32 = 0): i32 {
  return isStranger(TEXT, putText(TEXT, name), introduces);
}

function spent(): u32 {
  return load<u32>(LIMITS + <usize>Limit.ChildMessages * 16);
}

describe("the children that the server knows", () => {
  test("a message that leaves makes it know those whom it names, once", () => {
    forgetChildren();
    expect<i32>(stranger("a")).toBe(1);
    expect<i32>(stranger("a")).toBe(1); // it was only asked
    expect<i32>(stranger("a", 1)).toBe(1);
    expect<i32>(stranger("a")).toBe(0);
    expect<i32>(stranger("a", 1)).toBe(0);
    expect<i32>(stranger("ab")).toBe(1);
    expect<i32>(stranger("", 1)).toBe(1);
    expect<i32>(stranger("")).toBe(0);
    expect<i32>(stranger('Boiler \\"7\\" \u00e4', 1)).toBe(1);
  });
  test("a session that begins ends those that it knew, a message each, and it knows none of them", () => {
    const before = spent();
    forgetChildren();
    expect<u32>(spent() - before).toBe(3);
    expect<i32>(stranger("a")).toBe(1);
    expect<i32>(stranger("")).toBe(1);
    forgetChildren();
    expect<u32>(spent() - before).toBe(3);
  });
  test("of a thousand hardly any is taken for another one", () => {
    let taken = 0;
    for (let index = 0; index < 1000; index++) taken += 1 - stranger("Sensor " + index.toString(), 1);
    // Of 4,096 places a thousand leave on average 122 to be shared.
    expect<bool>(taken < 200).toBe(true);
    const before = spent();
    forgetChildren();
    expect<i32>(spent() - before).toBe(1000 - taken);
  });
});
