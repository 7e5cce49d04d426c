// Numbers of JSON as apps read them, without floats: what exact arithmetic makes of the same text.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { compile, HEAD, LIBRARY } from "./sources.ts";

const OTHERWISE = -77n;

/** Reads the text that the test has put into its memory. */
const READER = `import { io, scaled, textAt } from "${LIBRARY}";\n${HEAD}
@lazy const TEXT: usize = memory.data(400, 8);
@lazy const VALUE: usize = memory.data(8, 8);
export function setup(): void {}
export function on_event(kind: i32, length: i32): void {
  io(0, TEXT, 400);
  store<i64>(VALUE, scaled(textAt(TEXT, length), kind, ${OTHERWISE}));
  io(1, VALUE, 8);
}`;

interface Exports {
  on_event(kind: number, length: number): void;
  readonly fuel: { value: number };
  readonly memory: { readonly buffer: ArrayBuffer };
}

let read: (text: string, digits: number) => bigint;

before(async () => {
  const { wasm } = await compile("reader", READER);
  const engine = (globalThis as unknown as { WebAssembly: { instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: unknown } }> } }).WebAssembly;
  let text = "";
  let answer = 0n;
  const { instance } = await engine.instantiate(wasm, {
    mote: {
      io(op: number, at: number): number {
        const { buffer } = exports.memory;
        if (op === 0) Buffer.from(buffer).write(text, at);
        else answer = new DataView(buffer).getBigInt64(at, true);
        return 0;
      },
    },
  });
  const exports = instance.exports as Exports;
  read = (given, digits) => {
    text = given;
    exports.fuel.value = 2000;
    exports.on_event(digits, text.length);
    return answer;
  };
});

/** The same by numbers without a limit. */
function exact(text: string, digits: number): bigint {
  const [, sign, whole, fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?/.exec(text)!;
  const shift = digits + Number(exponent) - fraction.length;
  const mantissa = BigInt(whole! + fraction);
  if (mantissa !== 0n && shift > 100) return OTHERWISE;
  const cut = mantissa === 0n || shift < -500 ? 0n : shift < 0 ? mantissa / 10n ** BigInt(-shift) : mantissa * 10n ** BigInt(shift);
  const value = sign === "-" ? -cut : cut;
  return BigInt.asIntN(64, value) === value ? value : OTHERWISE;
}

test("a number is read exactly, its exponent too, cut off behind the digits that are asked for", () => {
  const texts = [
    "0", "-0", "1", "-1", "12.75", "-12.75", "1e3", "1E+3", "1.0E7", "1.00000005E7", "25e-1", "5e-3", "0e9", "0.00012e5", "1e-400", "1e400", "-1e99999999999", "0e99999999999",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "92233720368547758.07", "0.000000000000000000000000001e27", `1${"0".repeat(300)}e-299`, `0.${"0".repeat(300)}1e301`,
  ];
  for (const text of texts) for (const digits of [0, 1, 2, 9, 18]) assert.equal(read(text, digits), exact(text, digits), `${text} with ${digits} digits`);
  let state = 1;
  const next = (below: number): number => (state = (state * 48271) % 0x7fffffff) % below;
  const some = (most: number): string => Array.from({ length: 1 + next(most) }, () => next(10)).join("");
  for (let i = 0; i < 5000; i++) {
    const text = `${next(2) ? "-" : ""}${some(21)}${next(2) ? `.${some(21)}` : ""}${next(2) ? `e${["", "+", "-"][next(3)]}${some(2)}` : ""}`;
    const digits = next(19);
    assert.equal(read(text, digits), exact(text, digits), `${text} with ${digits} digits`);
  }
});

test("a text that begins with a number is that number, one that does not is none", () => {
  for (const [text, value] of [["", OTHERWISE], ["-", OTHERWISE], ["abc", OTHERWISE], ["12 me", 12n], ["12abc", 12n], ["7,8", 7n], ["3em", 3n]] as const) {
    assert.equal(read(text, 0), value, text);
  }
});
