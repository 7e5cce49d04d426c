// Turns the `device:` lines of a vector into calls of the module.

import { JsonField, JsonType, Member, OptionField, RecordsField, Release } from "../../build/generated/abi.ts";
import type { Answer, Argument, VectorDevice } from "./device.ts";
import { packJson, packMember } from "./record.ts";
import { cutWords, showBytes, type Word } from "./words.ts";

/** What the line answers, in words of the vector. */
export interface Outcome extends Answer {
  /** Replaces the number in the log, for calls whose answer is more than that. */
  shown: string | undefined;
}

/** Calls that a vector writes only when they fail. */
export const SILENT = ["start", "stop", "disconnect", "event_release"];

export function verbName(text: string): string {
  const first = text.split(" ")[0]!;
  return first.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export async function callVerb(device: VectorDevice, text: string): Promise<Outcome> {
  const [, ...words] = cutWords(text);
  const name = verbName(text);
  const plain = async (args: Argument[]): Promise<Outcome> => ({ ...(await device.call(name, args)), shown: undefined });
  switch (name) {
    case "start": case "stop": case "disconnect": case "forget_credentials":
      return plain([]);
    case "send_telemetry": case "send_attributes": case "claim": case "gateway_connect": case "gateway_disconnect":
    case "gateway_telemetry": case "gateway_attributes": case "gateway_rpc_reply": case "gateway_claim": {
      const { rest, options } = takeOptions(words);
      return plain([{ bytes: recordOf(rest), as: "length" }, options]);
    }
    case "send_rpc_reply": {
      const { rest, options } = takeOptions(words.slice(1));
      return plain([numberOf(words[0]), { bytes: recordOf(rest), as: "length" }, options]);
    }
    case "publish": {
      const { rest, options } = takeOptions(words.slice(2));
      if (rest.length > 0) throw new Error(`too many words: ${text}`);
      return plain([{ bytes: words[0]!.value, as: "span" }, { bytes: words[1]!.value, as: "span" }, options]);
    }
    case "subscribe":
      return plain([{ bytes: words[0]!.value, as: "span" }, words[1]?.raw === "qos" ? numberOf(words[2]) : 0]);
    case "unsubscribe":
      return plain([{ bytes: words[0]!.value, as: "span" }]);
    case "gateway_request_attributes": case "request_attributes": case "request_rpc":
      return plain([{ bytes: recordOf(words.slice(0, -2)), as: "length" }, numberOf(words.at(-1))]);
    case "ota_start": case "ota_stop":
      return plain([numberOf(words[0])]);
    case "ota_apply":
      return plain([numberOf(words[0]), numberOf(words[1])]);
    case "json_find":
      return find(device, words);
    case "json_text": {
      const answer = await device.call("json_text", [{ bytes: words[0]!.value, as: "span" }, { bytes: Buffer.alloc(numberOf(words[1])), as: "span" }]);
      const address = (await record(device, RecordsField.Staging)) + ((words[0]!.value.length + 3) & ~3);
      return { ...answer, shown: answer.result < 0 ? undefined : showBytes(await device.read(address, answer.result)) };
    }
    case "event_release":
      return { ...(await device.call(name, [words[0]?.raw === "accepted" ? Release.Accepted : Release.NotAccepted])), shown: undefined };
  }
  throw new Error(`no such verb: ${text}`);
}

/** `qos 0 retain` at the end of a line, as an options record; 0 when there is none. */
function takeOptions(words: Word[]): { rest: Word[]; options: Argument } {
  const at = words.findIndex((each) => each.kind === "bare" && (each.raw === "qos" || each.raw === "retain"));
  if (at < 0) return { rest: words, options: 0 };
  const tail = words.slice(at).map((each) => each.raw);
  const record = Buffer.alloc(OptionField.End);
  record.writeUInt16LE(OptionField.End, OptionField.Size);
  record[OptionField.Qos] = tail.includes("qos") ? Number(tail[tail.indexOf("qos") + 1]) : 1;
  record[OptionField.Retain] = tail.includes("retain") ? 1 : 0;
  return { rest: words.slice(0, at), options: { bytes: record, as: "address" } };
}

/** The forms of a message: a JSON value, `member "key" TEXT` for an object with one member of ready JSON, `ready TEXT` for JSON text that the module only checks, `text TEXT`, `record HEX...`. */
function recordOf(words: Word[]): Buffer {
  const [first, second] = words;
  if (!first) return Buffer.alloc(0);
  switch (first.raw) {
    case "ready": return packMember(Member.Json, "", second!.value);
    case "text": return packMember(Member.Text, "", second!.value);
    case "member": return Buffer.concat([packMember(Member.ObjectBegin, ""), packMember(Member.Json, second!.value.toString(), words[2]!.value), packMember(Member.End, "")]);
    case "record": return Buffer.from(words.slice(1).map((each) => each.raw).join(""), "hex");
  }
  return packJson(first.raw);
}

/** `json_find`: the type, and of it what the value record says. */
async function find(device: VectorDevice, words: Word[]): Promise<Outcome> {
  const answer = await device.call("json_find", [{ bytes: words[0]!.value, as: "span" }, { bytes: words[1]!.value, as: "span" }]);
  if (answer.result < 0) return { ...answer, shown: undefined };
  const found = Buffer.from(await device.read(await record(device, RecordsField.JsonValue), JsonField.End));
  const text = await device.read(found.readUInt32LE(JsonField.Text), found.readUInt32LE(JsonField.TextLength));
  const type = Object.entries(JsonType).find(([, value]) => value === answer.result)?.[0] ?? `type ${answer.result}`;
  if (answer.result === JsonType.Number) return { ...answer, shown: `${type} ${Buffer.from(text).toString()}` };
  const isNamed = answer.result === JsonType.Null || answer.result === JsonType.True || answer.result === JsonType.False;
  return { ...answer, shown: isNamed ? type : `${type} ${showBytes(text)}` };
}

/** An entry of the table of addresses that the host reads. */
async function record(device: VectorDevice, field: number): Promise<number> {
  const table = (await device.call("records", [])).result;
  return Buffer.from(await device.read(table + field, 4)).readUInt32LE();
}

function numberOf(word: Word | undefined): number {
  const number = Number(word?.raw);
  if (!Number.isInteger(number)) throw new Error(`a number is expected, not ${word?.raw}`);
  return number;
}
