// Names children to the server, which knows them until the session ends.

import { Change, forgetChildren, isStranger } from "../../../assembly/client/known";
import { Limit } from "../../../assembly/client/limits";
import { LIMITS } from "../../../assembly/memory";
import { putText } from "../host";

const TEXT = memory.data(128, 8);

function stranger(name: string, change: i32 = Change.None): i32 {
  return isStranger(TEXT, putText(TEXT, name), change);
}

function spent(): u32 {
  return load<u32>(LIMITS + <usize>Limit.ChildMessages * 16);
}

describe("the children that the server knows", () => {
  test("a message that leaves makes it know those whom it names, once", () => {
    forgetChildren();
    expect<i32>(stranger("a")).toBe(1);
    expect<i32>(stranger("a")).toBe(1); // it was only asked
    expect<i32>(stranger("a", Change.Introduced)).toBe(1);
    expect<i32>(stranger("a")).toBe(0);
    expect<i32>(stranger("a", Change.Introduced)).toBe(0);
    expect<i32>(stranger("ab")).toBe(1);
    expect<i32>(stranger("", Change.Introduced)).toBe(1);
    expect<i32>(stranger("")).toBe(0);
    expect<i32>(stranger('Boiler \\"7\\" \u00e4', Change.Introduced)).toBe(1);
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
  test("it does not know one that a message has ended, and that is not ended again", () => {
    const before = spent();
    expect<i32>(stranger("a", Change.Introduced)).toBe(1);
    expect<i32>(stranger("b", Change.Introduced)).toBe(1);
    expect<i32>(stranger("a", Change.Ended)).toBe(0);
    expect<i32>(stranger("a")).toBe(1);
    expect<i32>(stranger("a", Change.Ended)).toBe(1);
    expect<i32>(stranger("a")).toBe(1);
    expect<i32>(stranger("b")).toBe(0);
    forgetChildren();
    expect<u32>(spent() - before).toBe(1);
    expect<i32>(stranger("a", Change.Introduced)).toBe(1);
    forgetChildren();
    expect<u32>(spent() - before).toBe(2);
  });
  test("of a thousand hardly any is taken for another one", () => {
    let taken = 0;
    for (let index = 0; index < 1000; index++) taken += 1 - stranger("Sensor " + index.toString(), Change.Introduced);
    // Of 4,096 places a thousand leave on average 122 to be shared.
    expect<bool>(taken < 200).toBe(true);
    const before = spent();
    forgetChildren();
    expect<i32>(spent() - before).toBe(1000 - taken);
  });
});
