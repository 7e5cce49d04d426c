// Proves on a module written by hand that the bodies are measured as they stand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { functionBodies } from "./sections.ts";

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const TYPES_AND_FUNCTIONS = [1, 4, 1, 0x60, 0, 0, 3, 3, 2, 0, 0];

test("two bodies, one of two bytes and one of four", () => {
  const code = [10, 9, 2, 2, 0, 0x0b, 4, 0, 0x01, 0x01, 0x0b];
  assert.deepEqual(functionBodies(Uint8Array.from([...HEADER, ...TYPES_AND_FUNCTIONS, ...code])), [2, 4]);
});

test("no code, a length of two bytes, a binary cut off", () => {
  assert.deepEqual(functionBodies(Uint8Array.from(HEADER)), []);
  assert.deepEqual(functionBodies(Uint8Array.from([...HEADER, 10, 0x85, 0, 1, 0x82, 0, 0, 0x0b])), [2]);
  assert.throws(() => functionBodies(Uint8Array.from([...HEADER, 10])), /too early/);
  assert.throws(() => functionBodies(Uint8Array.from([1, 2, 3])), /not a wasm/);
});
