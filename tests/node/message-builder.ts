// The message that the driver's commands build step by step, as a JavaScript value.

import { Status } from "../../build/generated/abi.ts";
import { errorOf } from "../../host/node/errors.ts";
import { JsonText, type MessageValue } from "../../host/node/index.ts";
import { messageRecord } from "../../host/node/message.ts";

type Container = Record<string, MessageValue> | MessageValue[];

export class MessageBuilder {
  #isOpen = false;
  #entries: Record<string, MessageValue>[] = [];
  #document: JsonText | null = null;
  /** What members are added to, the innermost last. */
  #open: Container[] = [];

  /** Runs a command that builds; its status, or null when it is no such command. */
  run(verb: string, [key = "", text = "", digits = ""]: readonly string[]): number | null {
    const add = ADD[verb];
    if (verb === "begin") {
      if (this.#isOpen) return Status.BadState;
      this.#isOpen = true;
      this.#entry();
      return Status.Ok;
    }
    if (verb === "cancel") {
      this.#reset();
      return Status.Ok;
    }
    if (add === undefined && !BUILD.has(verb)) return null;
    if (!this.#isOpen) return Status.BadState;
    if (add !== undefined) this.#add(key, add(text, digits));
    else if (verb === "object_begin" || verb === "array_begin") this.#begin(key, verb === "object_begin" ? {} : []);
    else if (verb === "object_end" || verb === "array_end") this.#open.pop();
    else if (verb === "document") this.#document = new JsonText(key);
    else this.#next(verb === "timestamp" ? BigInt(key) : null);
    return Status.Ok;
  }

  /** Closes the message; its record. */
  take(): Uint8Array {
    if (!this.#isOpen) throw errorOf(Status.BadState, "send");
    const value = this.#document ?? (this.#entries.length === 1 ? this.#entries[0]! : this.#entries);
    this.#reset();
    return messageRecord(value);
  }

  #reset(): void {
    this.#isOpen = false;
    this.#entries = [];
    this.#open = [];
    this.#document = null;
  }

  /** The first entry is the one that `begin` has opened, as long as nothing is in it. */
  #next(ts: bigint | null): void {
    if (Object.keys(this.#entries.at(-1)!).length > 0) this.#entry();
    if (ts === null) return;
    const values: Record<string, MessageValue> = {};
    Object.assign(this.#entries.at(-1)!, { ts, values });
    this.#open = [values];
  }

  #entry(): void {
    const entry: Record<string, MessageValue> = {};
    this.#entries.push(entry);
    this.#open = [entry];
  }

  #begin(key: string, container: Container): void {
    this.#add(key, container);
    this.#open.push(container);
  }

  #add(key: string, value: MessageValue): void {
    const into = this.#open.at(-1)!;
    if (Array.isArray(into)) into.push(value);
    else into[key] = value;
  }
}

const BUILD: ReadonlySet<string> = new Set(["object_begin", "object_end", "array_begin", "array_end", "timestamp", "entry", "document"]);

const ADD: Readonly<Record<string, (text: string, digits: string) => MessageValue>> = {
  add_null: () => null,
  add_boolean: (text) => text === "true",
  add_integer: (text) => BigInt(text),
  add_decimal: (text, digits) => new JsonText(decimalText(BigInt(text), Number(digits))),
  add_double: (text, digits) => Number(Number(text).toFixed(Number(digits))),
  add_text: (text) => text,
  add_json: (text) => new JsonText(text),
};

function decimalText(mantissa: bigint, digits: number): string {
  const sign = mantissa < 0n ? "-" : "";
  const text = (mantissa < 0n ? -mantissa : mantissa).toString().padStart(digits + 1, "0");
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
