// Cuts what is too large for one message into several, by bytes and by data points: nothing is merged, nothing is lost.

import { OptionField, Status } from "../../build/generated/abi.ts";
import { errorOf } from "./errors.ts";
import { entryValue, isLeftOut, memberCost, type Cost } from "./message.ts";
import { isTimed, type Entry, type MessageValue, type MessageValues, type TimedValues } from "./values.ts";

/** What one message may hold. */
export interface MessageLimits {
  /** Bytes of the record (`staging_buffer`). */
  readonly recordBytes: number;
  /** Bytes of the JSON text: what `send_buffer` and the server leave for it. */
  readonly jsonBytes: number;
  /** Key-value pairs. */
  readonly points: number;
  /** Children of a gateway, each of which counts as a message. */
  readonly children: number;
  /** What says so, and the bytes that it counts besides those of the text. */
  readonly jsonLimit: { readonly name: string; readonly overheadBytes: number };
}

/** Telemetry in messages: a message with one entry is that entry, one with several is a list of them. */
export function splitTelemetry(entries: readonly Entry[], limits: MessageLimits): MessageValue[] {
  const packer = new Packer(limits, NOTHING, BRACKETS);
  for (const entry of entries) packer.add("", NOTHING, entry);
  return packer.messages().map(([group]) => (group!.entries.length === 1 ? group!.entries[0]! : group!.entries));
}

/** Attributes in messages of one object each. */
export function splitAttributes(values: MessageValues, limits: MessageLimits): MessageValue[] {
  const packer = new Packer(limits, NOTHING, NOTHING);
  packer.add("", NOTHING, values);
  return packer.messages().map(([group]) => group!.entries[0]!);
}

/** Telemetry of child devices: a list of entries for each child of a message, never an empty one. */
export function splitChildTelemetry(children: Iterable<readonly [name: string, entries: readonly Entry[]]>, limits: MessageLimits): MessageValue[] {
  const packer = new Packer(limits, BRACKETS, NOTHING);
  for (const [name, entries] of children) {
    const around = memberCost(name, []);
    for (const entry of entries) packer.add(name, around, entry);
  }
  return packer.messages().map((groups) => Object.fromEntries(groups.map(({ name, entries }) => [name, entries])));
}

/** Attributes of child devices: one object for each child of a message. */
export function splitChildAttributes(children: Iterable<readonly [name: string, values: MessageValues]>, limits: MessageLimits): MessageValue[] {
  const packer = new Packer(limits, BRACKETS, NOTHING);
  for (const [name, values] of children) packer.add(name, memberCost(name, []), values);
  return packer.messages().map((groups) => Object.fromEntries(groups.map(({ name, entries }) => [name, entries[0]!])));
}

/** Key-value pairs as the server counts them. */
export function countPoints(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + Object.keys(isTimed(entry) ? entry.values : entry).length, 0);
}

const NOTHING: Cost = { recordBytes: 0, jsonBytes: 0 };
/** An object or a list around what a message holds. */
const BRACKETS: Cost = { recordBytes: 24, jsonBytes: 2 };
/** An entry of a list, its comma counted. */
const ENTRY: Cost = { recordBytes: 24, jsonBytes: 3 };

type Members = [key: string, value: MessageValue][];

/** An entry, or the part of one that a message has. */
interface Part {
  /** What has its time and metadata; undefined for plain values. */
  readonly timed: TimedValues | undefined;
  readonly members: Members;
}

/** The entries of one device in one message. */
interface Group<Item> {
  readonly name: string;
  readonly entries: Item[];
}

/** Fills one message after the other, in order. `frame` is around each message, `list` around several entries. */
class Packer {
  readonly #messages: Group<Part>[][] = [];
  #groups: Group<Part>[] = [];
  #used: Cost;
  #points = 0;
  #entries = 0;

  constructor(private readonly limits: MessageLimits, private readonly frame: Cost, private readonly list: Cost) {
    this.#used = frame;
  }

  /** Adds an entry, in parts where it does not fit; each part keeps its time and metadata. `around` is the cost of its group. */
  add(name: string, around: Cost, entry: Entry): void {
    const timed = isTimed(entry) ? entry : undefined;
    const opening = timed === undefined ? ENTRY : memberCost("", entryValue({ ...timed, values: {} }));
    const pairs = Object.entries(isTimed(entry) ? entry.values : entry).filter(([, value]) => !isLeftOut(value));
    let members: Members | null = null;
    const open = (cost: Cost, points: number, key: string): Members => {
      if (!this.#isOpen(name) && this.#groups.length >= this.limits.children) this.#flush();
      this.#makeRoom(() => plus(this.#costOfOpening(name, around, opening), cost), points, key);
      this.#used = plus(this.#used, this.#costOfOpening(name, around, opening));
      if (!this.#isOpen(name)) this.#groups.push({ name, entries: [] });
      const opened: Members = [];
      this.#groups.at(-1)!.entries.push({ timed, members: opened });
      this.#entries++;
      return opened;
    };
    // An entry without values is a message all the same.
    if (pairs.length === 0) open(NOTHING, 0, name);
    for (const [key, value] of pairs) {
      const cost = memberCost(key, value);
      if (members === null || !this.#fits(cost, 1)) members = open(cost, 1, key);
      members.push([key, value]);
      this.#used = plus(this.#used, cost);
      this.#points++;
    }
  }

  messages(): Group<MessageValues>[][] {
    this.#flush();
    return this.#messages.map((groups) => groups.map(({ name, entries }) => ({ name, entries: entries.map(entryOf) })));
  }

  #isOpen(name: string): boolean {
    return this.#groups.at(-1)?.name === name;
  }

  #costOfOpening(name: string, around: Cost, opening: Cost): Cost {
    const cost = this.#isOpen(name) ? opening : plus(around, opening);
    return this.#entries === 1 ? plus(cost, this.list) : cost;
  }

  /** Begins another message where this one has no room; throws for what no message has room for. */
  #makeRoom(cost: () => Cost, points: number, key: string): void {
    if (this.#fits(cost(), points)) return;
    this.#flush();
    if (this.#fits(cost(), points)) return;
    const { recordBytes, jsonBytes } = plus(this.frame, cost());
    const isRecord = recordBytes > this.limits.recordBytes;
    const { name, overheadBytes } = this.limits.jsonLimit;
    throw errorOf(Status.TooLarge, `the value of ${key}`, {
      text: isRecord ? "staging_buffer" : name, value: isRecord ? recordBytes + OptionField.End : jsonBytes + overheadBytes,
    });
  }

  #fits(cost: Cost, points: number): boolean {
    const { recordBytes, jsonBytes } = plus(this.#used, cost);
    return recordBytes <= this.limits.recordBytes && jsonBytes <= this.limits.jsonBytes && this.#points + points <= this.limits.points;
  }

  #flush(): void {
    if (this.#groups.length > 0) this.#messages.push(this.#groups);
    this.#groups = [];
    this.#used = this.frame;
    this.#points = this.#entries = 0;
  }
}

function plus(one: Cost, other: Cost): Cost {
  return { recordBytes: one.recordBytes + other.recordBytes, jsonBytes: one.jsonBytes + other.jsonBytes };
}

function entryOf({ timed, members }: Part): MessageValues {
  // Unlike an assignment this keeps a key named __proto__.
  const values = Object.fromEntries(members);
  return timed === undefined ? values : entryValue({ ...timed, values });
}
