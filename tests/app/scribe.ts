// An app that sends in parts what a test dictates, with the test as its host.

import assert from "node:assert/strict";
import { Member } from "../../build/generated/abi.ts";
import { members, Ready, type Json } from "./members.ts";
import { compile, HEAD, LIBRARY } from "./sources.ts";

/** Lays out what the test dictates, a member for each `io`, and sends it in parts. */
const SCRIBE = `
import { addBoolean, addDecimal, addInteger, addJson, addNull, addText, beginArray, beginDocument, beginList, beginMessage, beginObject, endLevel, io, messageBytes,
  sendAttributesInParts, sendChildAttributesInParts, sendChildTelemetryInParts, sendRest, sendTelemetryInParts, sendRpcReply, textAt } from "${LIBRARY}";
${HEAD}
@lazy const MEMBER: usize = memory.data(400, 8);
export function setup(): void {}
function begin(): void {
  const type = io(0, MEMBER, 400);
  if (type == ${Member.ArrayBegin}) beginList();
  else if (type == ${Member.Json}) beginDocument(textAt(MEMBER + 12, load<i32>(MEMBER, 4)));
  else beginMessage();
}
function add(): bool {
  const type = io(0, MEMBER, 400);
  const keyLength = <i32>load<u16>(MEMBER, 2);
  const key = textAt(MEMBER + 12, keyLength);
  const value = textAt(MEMBER + 12 + ((keyLength + 3) & ~3), load<i32>(MEMBER, 4));
  if (type == ${Member.Null}) addNull(key);
  else if (type == ${Member.False} || type == ${Member.True}) addBoolean(key, type == ${Member.True});
  else if (type == ${Member.Integer}) addInteger(key, load<i64>(MEMBER, 4));
  else if (type == ${Member.Decimal}) addDecimal(key, load<i64>(MEMBER, 4), load<u8>(MEMBER, 1));
  else if (type == ${Member.Text}) addText(key, value);
  else if (type == ${Member.Json}) addJson(key, value);
  else if (type == ${Member.ObjectBegin}) beginObject(key);
  else if (type == ${Member.ArrayBegin}) beginArray(key);
  else if (type == ${Member.End}) endLevel();
  return type >= 0;
}
export function on_event(kind: i32, length: i32): void {
  let result = 0;
  if (kind < 4) { begin(); while (add()) {} }
  if (kind == 0) result = sendTelemetryInParts(length);
  if (kind == 1) result = sendAttributesInParts(length);
  if (kind == 2) result = sendChildTelemetryInParts(length);
  if (kind == 3) result = sendChildAttributesInParts(length);
  if (kind == 4) result = sendRest();
  if (kind == 5) { beginMessage(); result = sendRpcReply(1); }
  io(1, MEMBER, result);
  io(2, MEMBER, messageBytes());
}
`;

interface Engine {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<{ readonly exports: unknown }>;
}
const engine = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly;

/** With room for messages of so many bytes, else of those that `mote build` takes. */
export async function compileScribe(messageBytes?: number): Promise<object> {
  const { wasm } = messageBytes === undefined ? await compile("scribe-default", SCRIBE) : await compile("scribe", SCRIBE, { memoryBytes: 8192, messageBytes });
  return engine.compile(wasm);
}

export interface Host {
  readonly sent: Buffer[];
  readonly pointsMax: number;
  readonly childrenMax?: number;
  /** Told of a record; the answer of the verb. */
  answer(record: Buffer): number;
}

/** The app with the test as its host: runs a step, and answers with its result. */
export async function scribe(module: object, host: Host): Promise<(kind: number, most: number, document?: Json) => { result: number; messageBytes: number }> {
  let dictated: Buffer[] = [];
  const told = { result: 0, messageBytes: 0 };
  const send = (of: number) => (at: number, length: number): number => {
    assert.equal(of, current, "by the verb of this message");
    const record = Buffer.from(memory().subarray(at, at + length));
    const result = host.answer(record);
    if (result >= 0) host.sent.push(record);
    return result;
  };
  let current = 0;
  const instance = await engine.instantiate(module, {
    mote: {
      send_telemetry: send(0), send_attributes: send(1), gateway_telemetry: send(2), gateway_attributes: send(3),
      send_rpc_reply: () => 0,
      points_max: (isOfChildren: number) => {
        assert.equal(isOfChildren, current >> 1);
        return host.pointsMax;
      },
      children_max: () => host.childrenMax ?? 0,
      io(op: number, at: number, length: number): number {
        if (op === 1) told.result = length;
        if (op === 2) told.messageBytes = length;
        const next = op === 0 ? dictated.shift() : undefined;
        if (next === undefined) return -1;
        memory().set(next, at);
        return next[0]!;
      },
    },
  });
  const exports = instance.exports as { on_event(kind: number, length: number): void; fuel: { value: number }; memory: { buffer: ArrayBuffer } };
  const memory = (): Uint8Array => new Uint8Array(exports.memory.buffer);
  return (kind, most, document) => {
    // The last End is the app's own.
    if (document !== undefined) {
      dictated = document instanceof Ready ? members(document) : members(document).slice(0, -1);
      current = kind;
    }
    exports.fuel.value = 1_000_000;
    exports.on_event(kind, most);
    return { ...told };
  };
}
