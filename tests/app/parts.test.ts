// Messages that leave in parts: documents, limits and a full outbox by one seed, and every data point once, in its place and in order.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Status } from "../../build/generated/abi.ts";
import { decoded, plain, Ready, sizeOf, type Json } from "./members.ts";
import { compileScribe, scribe, type Host } from "./scribe.ts";

const MESSAGE_BYTES = 2048;

type Values = Record<string, Json>;

/** What a data point of a document is, with all that stands around it. */
interface Point { readonly child: string; readonly around: string; readonly key: string; readonly value: unknown }

/** The data points of a document, in order; an entry without any is one without a key. */
function points(kind: number, document: unknown): Point[] {
  const ofEntry = (child: string, entry: unknown): Point[] => {
    const { ts, values, ...rest } = entry as Values;
    const isTimed = kind % 2 === 0 && typeof ts === "number" && typeof values === "object" && (Object.keys(rest).length === 0 || (Object.keys(rest).length === 1 && "metadata" in rest));
    const around = isTimed ? JSON.stringify({ ts, ...rest }) : "";
    const found = Object.entries((isTimed ? values : entry) as Values);
    return found.length === 0 ? [{ child, around, key: "", value: undefined }] : found.map(([key, value]) => ({ child, around, key, value }));
  };
  if (kind === 0) return (Array.isArray(document) ? document : [document]).flatMap((entry) => ofEntry("", entry));
  if (kind === 1) return ofEntry("", document);
  return Object.entries(document as Record<string, unknown>).flatMap(([child, of]) => (kind === 2 ? of as unknown[] : [of]).flatMap((entry) => ofEntry(child, entry)));
}

/** A document that has this point alone. */
function alone(kind: number, { child, around, key, value }: Point, isList: boolean): Json {
  const values = (value === undefined ? {} : { [key]: value }) as Values;
  const entry: Json = around === "" ? values : { ...JSON.parse(around) as Values, values };
  if (kind === 0) return isList ? [entry] : entry;
  return kind === 1 ? entry : { [child]: kind === 2 ? [entry] : entry };
}

let app: object;
let appOfDefault: object;

before(async () => {
  app = await compileScribe(MESSAGE_BYTES);
  appOfDefault = await compileScribe();
});

/** Numbers by a seed (Lehmer's generator). */
function random(seed: number): (below: number) => number {
  let state = seed * 2 + 1;
  return (below) => {
    state = (state * 48271) % 0x7fffffff;
    return state % below;
  };
}

function documents(seed: number): { kind: number; document: Json } {
  const next = random(seed);
  const times = <T>(most: number, make: (index: number) => T): T[] => Array.from({ length: next(most + 1) }, (_, index) => make(index));
  const letters = (most: number): string => Array.from({ length: next(most + 1) }, () => "abcdé\"\\ü\n"[next(9)]).join("");
  const value = (depth: number): Json => {
    switch (next(depth > 2 ? 7 : 9)) {
      case 0: return null;
      case 1: return next(2) === 0;
      case 2: return next(1_000_000) - 500_000;
      case 3: return (next(100_000) * 100 + 1 + next(99)) / 100;
      case 4: return letters(next(4) === 0 ? 100 : 12);
      case 5: return new Ready(JSON.stringify({ ready: letters(8) }));
      case 6: return "";
      case 7: return times(3, () => value(depth + 1));
      default: return Object.fromEntries(times(3, (index) => [`m${index}`, value(depth + 1)]));
    }
  };
  const values = (): Values => Object.fromEntries(times(8, (index) => [["k", "key", "values", "tx", "metadata"][next(5)]! + index, value(0)]));
  const entry = (): Json => {
    const form = next(4);
    if (form === 0) return values();
    const ts = 1_700_000_000_000 + next(1000);
    return form === 1 ? { ts, metadata: { connector: letters(6), receivedTs: 1, publishedTs: 2 }, values: values() } : { ts, values: values() };
  };
  const kind = next(4);
  const names = times(3, (index) => `${letters(10)}${index}`);
  const list = (): Json[] => [entry(), ...times(2, entry)];
  if (kind === 0) return { kind, document: next(2) === 0 ? entry() : list() };
  if (kind === 1) return { kind, document: values() };
  return { kind, document: Object.fromEntries(["c", ...names].map((name) => [name, kind === 2 ? list() : values()])) };
}

test("every data point leaves once, with its child, its time and its metadata, in messages that fit, whatever is full meanwhile", async () => {
  let parts = 0;
  let refusals = 0;
  for (let seed = 1; seed <= 800; seed++) {
    const { kind, document } = documents(seed);
    if (sizeOf(document) > MESSAGE_BYTES) continue;
    const next = random(seed + 7919);
    const recordMax = next(3) === 0 ? MESSAGE_BYTES : 60 + next(400);
    const most = next(2) * (1 + next(6));
    const host: Host = {
      sent: [], pointsMax: next(2) * (1 + next(4)), childrenMax: next(2) * (1 + next(3)),
      answer: (record) => (record.length > recordMax ? Status.TooLarge : next(5) === 0 ? Status.Full : 7),
    };
    const run = await scribe(app, host);
    const refusedBehind: number[] = [];
    for (let { result } = run(kind, most, document), turn = 0; ; { result } = run(4, 0), turn++) {
      assert.ok(turn < 1000, `seed ${seed} does not end`);
      assert.ok(result === 7 || result === 0 || result === Status.Full || result === Status.TooLarge, `seed ${seed}: ${result}`);
      if (result === Status.TooLarge) refusedBehind.push(host.sent.reduce((sum, record) => sum + points(kind, decoded(record)).length, 0) + refusedBehind.length);
      if (result >= 0) break;
    }
    assert.equal(run(4, 0).result, 0, `seed ${seed}: nothing is left`);
    const wanted = points(kind, plain(document));
    const limit = most || host.pointsMax || Infinity;
    const got = host.sent.flatMap((record) => {
      const value = decoded(record);
      const found = points(kind, value);
      assert.ok(found.length <= limit, `seed ${seed}: ${found.length} points`);
      const children = kind > 1 ? Object.keys(value as object).length : 0;
      assert.ok(children <= (host.childrenMax || Infinity), `seed ${seed}: ${children} children`);
      if (kind === 2) for (const list of Object.values(value as Record<string, unknown[]>)) assert.ok(list.length > 0, `seed ${seed}: an empty list`);
      return found;
    });
    const expected = wanted.filter((_, index) => !refusedBehind.includes(index));
    assert.deepEqual(got, expected, `seed ${seed}`);
    for (const index of refusedBehind) {
      assert.ok(sizeOf(alone(kind, wanted[index]!, Array.isArray(document))) > recordMax, `seed ${seed}: ${JSON.stringify(wanted[index])} would have fitted`);
    }
    if (limit === Infinity && host.childrenMax === 0 && sizeOf(document) <= recordMax) assert.equal(host.sent.length, 1, `seed ${seed}: in one piece`);
    parts += host.sent.length;
    refusals += refusedBehind.length;
  }
  assert.ok(parts > 1500 && refusals > 40, `${parts} parts, ${refusals} refused`);
});

test("an entry in another form and ready text leave whole", async () => {
  const host: Host = { sent: [], pointsMax: 1, answer: () => 0 };
  const run = await scribe(app, host);
  const other: Json[] = [{ ts: 5, values: { a: 1, b: 2 }, more: [1] }, { ts: 5 }, { ts: "5", values: { a: 1 } }, { ts: 5, metadata: { a: 1 }, more: 1, values: { a: 1 } }];
  for (const entry of other) run(2, 0, { c: [entry] });
  run(2, 0, { c: new Ready('[{"a":1},{"b":2}]'), d: [{ e: 1 }] });
  run(0, 0, new Ready('[{"a":1},{"b":2}]'));
  assert.deepEqual(host.sent.map(decoded), [
    { c: [other[0]] }, { c: [other[1]] },
    // Values of their own: two data points.
    { c: [{ ts: "5" }] }, { c: [{ values: { a: 1 } }] },
    { c: [other[3]] },
    { c: [{ a: 1 }, { b: 2 }] }, { d: [{ e: 1 }] },
    [{ a: 1 }, { b: 2 }],
  ]);
});

test("no message is about more children than the server takes at once, and none is about fewer than it could be", async () => {
  const host: Host = { sent: [], pointsMax: 0, childrenMax: 3, answer: () => 0 };
  const run = await scribe(app, host);
  const names = ["a", "b", "c", "d", "e", "f", "g"];
  const of = (from: number, to: number, value: (name: string) => Json): Json => Object.fromEntries(names.slice(from, to).map((name) => [name, value(name)]));
  for (const [kind, value] of [[2, (name: string) => [{ [name]: 1 }, { [name]: 2 }]], [3, (name: string) => ({ [name]: 1 })], [2, () => new Ready("[{}]")]] as const) {
    host.sent.length = 0;
    assert.equal(run(kind, 0, of(0, 7, value)).result, 0);
    assert.deepEqual(host.sent.map(decoded), [of(0, 3, value), of(3, 6, value), of(6, 7, value)].map(plain));
  }
  // A child that the data points cut in two is in both messages, and counts in both.
  host.sent.length = 0;
  run(2, 4, { a: [{ x: 1, y: 2 }], b: [{ x: 1, y: 2, z: 3 }], c: [{ x: 1 }], d: [{ x: 1 }], e: [{ x: 1 }] });
  assert.deepEqual(host.sent.map(decoded), [{ a: [{ x: 1, y: 2 }], b: [{ x: 1, y: 2 }] }, { b: [{ z: 3 }], c: [{ x: 1 }], d: [{ x: 1 }] }, { e: [{ x: 1 }] }]);
});

test("another message ends what is left, and that is said", async () => {
  const host: Host = { sent: [], pointsMax: 0, answer: () => Status.Full };
  const run = await scribe(app, host);
  assert.equal(run(3, 0, { c: { a: 1 } }).result, Status.Full);
  assert.equal(run(4, 0).result, Status.Full);
  run(5, 0);
  assert.equal(run(4, 0).result, Status.BadState);
  assert.equal(run(4, 0).result, 0);
});

test("a failure that no room mends ends it", async () => {
  const host: Host = { sent: [], pointsMax: 0, answer: () => Status.Malformed };
  const run = await scribe(app, host);
  assert.equal(run(1, 0, { a: new Ready("{") }).result, Status.Malformed);
  assert.equal(run(4, 0).result, 0);
});

test("what is larger than the buffer of messages is refused with the bytes needed; mote build gives more", async () => {
  const host: Host = { sent: [], pointsMax: 0, answer: () => 0 };
  const [small, large] = [await scribe(appOfDefault, host), await scribe(app, host)];
  const fits = { c: { a: "x".repeat(300), b: "y".repeat(80) } };
  const document = { c: { a: "x".repeat(300), b: "y".repeat(200), c: 1 } };
  assert.deepEqual(small(3, 0, fits).result, 0);
  assert.ok(sizeOf(document) > 512);
  assert.deepEqual(small(3, 0, document), { result: Status.TooLarge, messageBytes: sizeOf(document) });
  assert.equal(host.sent.length, 1, "nothing of it is sent");
  assert.equal(small(4, 0).result, 0);
  assert.equal(large(3, 0, document).result, 0);
  assert.deepEqual(decoded(host.sent.at(-1)!), document);
});
