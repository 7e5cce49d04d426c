// The data points of an app's record, as ThingsBoard counts them: pairs of an entry, of an entry with a time those of its values.

import assert from "node:assert/strict";
import { test } from "node:test";
import { messageRecord } from "../../host/node/message.ts";
import { countRecordPoints } from "../../host/node/record-points.ts";
import { JsonText, type MessageValue } from "../../host/node/values.ts";

const metadata = { connector: "x", receivedTs: 1, publishedTs: 2 };
const OWN: [points: number, value: MessageValue][] = [
  [0, {}], [1, { a: 1 }], [2, { a: [1, 2, { x: 1, y: 2 }], b: { c: 1, d: 2, e: 3 } }],
  [3, { ts: 1, values: { a: 1, b: "values", c: { ts: 1, values: { d: 1 } } } }],
  [1, { ts: 1, values: { a: 1 }, metadata }], [2, { ts: 1, value: { a: 1, b: 2, c: 3 } }], [0, { ts: 1, values: {} }],
  [3, [{ a: 1 }, { ts: 2, values: { b: 1 } }, { c: 1 }, {}]],
];
/** In the document of a gateway each child has such values. */
const CHILDREN: typeof OWN = [
  [3, { "c 1": [{ a: 1 }, { ts: 1, values: { b: 2 } }], values: [{ ts: 2 }] }],
  [4, { c: { a: 1, b: 2 }, d: { ts: 1, x: 2 } }],
  [0, {}],
];

for (const [cases, isOfChildren] of [[OWN, false], [CHILDREN, true]] as const) {
  for (const [points, value] of cases) {
    test(`${JSON.stringify(value)} has ${points}, also as ready text`, () => {
      assert.equal(countRecordPoints(messageRecord(value), isOfChildren), points);
      assert.equal(countRecordPoints(messageRecord(new JsonText(JSON.stringify(value))), isOfChildren), points);
      if (!Array.isArray(value) && isOfChildren) {
        const ready = Object.fromEntries(Object.entries(value as object).map(([name, each]) => [name, new JsonText(JSON.stringify(each))]));
        assert.equal(countRecordPoints(messageRecord(ready), true), points);
      }
    });
  }
}

test("values that are ready text count, and what is no record counts nothing", () => {
  assert.equal(countRecordPoints(messageRecord({ ts: 1, values: new JsonText('{"a":1,"b":{"c":2}}') }), false), 2);
  assert.equal(countRecordPoints(messageRecord(new JsonText('{"a":')), false), 0);
  const record = messageRecord({ a: 1, b: "text" });
  for (let length = 0; length < record.length; length++) assert.ok(countRecordPoints(record.subarray(0, length), false) <= 2);
  assert.equal(countRecordPoints(new Uint8Array(64).fill(255), false), 0);
});
