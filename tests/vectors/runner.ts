// Plays a vector on a device.

import { EventFlag, EventKind, Release, Stat, Status } from "../../build/generated/abi.ts";
import { bind, compare, type Output } from "./compare.ts";
import type { DeviceEvent, Link, NetAction, VectorDevice } from "./device.ts";
import { eventLine, statusName } from "./event-line.ts";
import { decodeGloss, encodeGloss, packetLength } from "./gloss.ts";
import type { Profile, Step, Vector } from "./parse.ts";
import { callVerb, SILENT, verbName } from "./script.ts";
import { hexOf, showBytes } from "./words.ts";

/** How the bytes of the server are cut: whole, one by one, or one step's in two at a position. */
export type Cut = "whole" | "bytes" | { step: number; at: number };

const DEFAULTS: Record<string, unknown> = { mqtt_host: "broker.test", client_id: "m", rpc: false };
const POLLS_MAX = 5000;
const EVERY_BYTE = -1;

export function configOf(vector: Vector, profile: Profile): string {
  const base: Record<string, unknown> = profile !== "minimal" ? { ...DEFAULTS, shared_attributes: false, session_limits: false } : DEFAULTS;
  return JSON.stringify(Object.fromEntries(Object.entries({ ...base, ...vector.config }).filter(([, value]) => value !== null)));
}

/** Positions at which the bytes of a step are cut: all of a short packet, both ends of a long one. */
export function cutsOf(vector: Vector): Cut[] {
  const cuts: Cut[] = [];
  vector.steps.forEach((step, index) => {
    if (step.input.keyword !== "server sends") return;
    const length = bytesOf(step, new Map()).length;
    for (let at = 1; at < length; at++) if (at <= 64 || at >= length - 16) cuts.push({ step: index, at });
  });
  return cuts;
}

/** Bytes that the server sends in all. */
export function serverBytes(vector: Vector): number {
  return vector.steps.filter((step) => step.input.keyword === "server sends").reduce((sum, step) => sum + bytesOf(step, new Map()).length, 0);
}

/** Undefined when all went as expected, else a text for people. */
export async function playVector(vector: Vector, profile: Profile, device: VectorDevice, cut: Cut, startMs: bigint): Promise<string | undefined> {
  const player = new Player(device);
  const json = configOf(vector, profile);
  const configures = vector.steps[0]!.input.text.startsWith("configure");
  try {
    if (!configures) {
      const { result } = await device.configure(json, startMs);
      if (result !== 0) return `configure answers ${statusName(result)} ${JSON.stringify(await device.fault())} for ${json}`;
    }
    const ids = new Map<string, string>();
    for (const [index, step] of vector.steps.entries()) {
      const cutAt = cut === "bytes" ? EVERY_BYTE : typeof cut === "object" && cut.step === index ? cut.at : 0;
      const outputs = joinTaken(await player.play(step, ids, cutAt, startMs));
      const difference = compare(step.expected, outputs, ids);
      if (difference) return `${vector.file}:${step.input.number} after "${step.input.keyword}: ${step.input.text}"\n${difference}`;
    }
    return undefined;
  } catch (error) {
    return `${vector.file}:${vector.line} ${(error as Error).message}`;
  } finally {
    await device.close();
  }
}

function bytesOf(step: Step, ids: Map<string, string>): Buffer {
  return Buffer.concat([step.input, ...step.also].map((each) => encodeGloss(each.text ? bind(each.text, ids) : `hex ${each.hex}`)));
}

class Player {
  private sent = Buffer.alloc(0);
  /** Parts of a message that has not ended. */
  private parts: Uint8Array[] = [];
  private declines = false;

  constructor(private readonly device: VectorDevice) {}

  async play(step: Step, ids: Map<string, string>, cutAt: number, startMs: bigint): Promise<Output[]> {
    const { keyword, text } = step.input;
    switch (keyword) {
      case "given":
        if (text !== "a session") throw new Error(`nothing known is given: ${text}`);
        return this.session();
      case "device":
        return this.command(text, ids, startMs);
      case "server sends":
        return this.serve(bytesOf(step, ids), cutAt);
      case "link":
        await this.setLink(text);
        return this.settle();
      case "image":
        await this.device.setImage(text);
        return this.settle();
      case "time passes":
        return this.pass(duration(text));
      case "counter": {
        const [name] = text.split(" ");
        const value = await this.device.counter(Stat[name as keyof typeof Stat]);
        if (`${name} ${value}` !== text) throw new Error(`line ${step.input.number}: counter ${name} is ${value}, not ${text.split(" ")[1]}`);
        return [];
      }
    }
    throw new Error(`not a thing that happens: ${keyword}`);
  }

  private async serve(bytes: Buffer, cutAt: number): Promise<Output[]> {
    const outputs: Output[] = [];
    const pieces = cutAt === EVERY_BYTE ? [...bytes].map((byte) => Buffer.from([byte])) : [bytes.subarray(0, cutAt), bytes.subarray(cutAt)];
    for (const piece of pieces) {
      if (piece.length === 0) continue;
      await this.device.receive(piece);
      outputs.push(...(await this.settle()));
    }
    return outputs;
  }

  private async command(text: string, ids: Map<string, string>, startMs: bigint): Promise<Output[]> {
    if (text === "declines the next message") {
      this.declines = true;
      return [];
    }
    if (text.startsWith("configure ")) {
      const { result } = await this.device.configure(text.slice("configure ".length), startMs);
      const fault = await this.device.fault();
      return [line(`answer: ${result === 0 ? "0" : `${statusName(result)}${fault.text ? ` ${JSON.stringify(fault.text)}` : ""}${fault.value ? `, value ${fault.value}` : ""}`}`)];
    }
    const { result, actions, shown } = await callVerb(this.device, bind(text, ids));
    const outputs = this.observe(actions);
    if (!SILENT.includes(verbName(text)) || result !== 0) {
      const value = result === Status.TooLarge ? `, value ${(await this.device.fault()).value}` : "";
      outputs.push(line(`answer: ${shown ?? (result < 0 ? statusName(result) : String(result))}${value}`));
    }
    return [...outputs, ...(await this.settle())];
  }

  private async setLink(text: string): Promise<void> {
    const accepts = /^accepts (\d+|all)/.exec(text);
    const links: Record<string, Link> = { opens: "open", closes: Status.ConnectionClosed, resets: Status.ConnectionReset };
    const failure = /^fails (\w+)$/.exec(text)?.[1];
    if (accepts) await this.device.accept(accepts[1] === "all" ? Infinity : Number(accepts[1]));
    else if (failure) await this.device.setLink(Status[failure as keyof typeof Status]);
    else if (text in links) await this.device.setLink(links[text]!);
    else throw new Error(`not a thing that a link does: ${text}`);
  }

  /** Up to the event Connected and the last SUBACK, unseen. */
  private async session(): Promise<Output[]> {
    await this.device.call("start", []);
    await this.settle();
    await this.device.setLink("open");
    await this.settle();
    await this.device.receive(encodeGloss("CONNACK code 0"));
    let outputs = await this.settle();
    if (!outputs.some((each) => each.text.startsWith("event: Connected"))) throw new Error(`no session: ${outputs.map((each) => each.text).join("; ")}`);
    for (;;) {
      const asked = outputs.map((each) => /^device sends: SUBSCRIBE (id \d+) .* qos (\d)$/.exec(each.text)).filter((each) => each !== null);
      if (asked.length === 0) return [];
      await this.device.receive(Buffer.concat(asked.map(([, id, qos]) => encodeGloss(`SUBACK ${id} code ${qos}`))));
      outputs = await this.settle();
    }
  }

  private async pass(ms: number): Promise<Output[]> {
    const outputs = await this.settle();
    for (let left = ms; left > 0; ) {
      const step = Math.min(left, this.deadlineMs);
      await this.device.tick(step);
      left -= step;
      outputs.push(...(await this.settle()));
    }
    return outputs;
  }

  private deadlineMs = 0;

  /** Polls as long as the module asks for it, as a host does before it sleeps: that it sent something is no reason, so a wake-up that is missing shows. */
  private async settle(): Promise<Output[]> {
    const outputs: Output[] = [];
    for (let polls = 0; polls < POLLS_MAX; polls++) {
      const { actions, event, received, deadlineMs } = await this.device.poll();
      outputs.push(...this.observe(actions));
      if (event) outputs.push(...(await this.show(event)));
      this.deadlineMs = deadlineMs;
      if (!event && received === 0 && deadlineMs > 0) {
        const unread = await this.device.unread();
        if (unread > 0) throw new Error(`the client sleeps on ${unread} unread bytes`);
        return outputs;
      }
    }
    throw new Error(`the client never sleeps; last: ${outputs.slice(-3).map((each) => each.text).join("; ")}`);
  }

  private observe(actions: NetAction[]): Output[] {
    const outputs: Output[] = [];
    for (const action of actions) {
      if (action.kind === "send") {
        this.sent = Buffer.concat([this.sent, action.bytes]);
        for (let length = packetLength(this.sent); length > 0; length = packetLength(this.sent)) {
          const bytes = Buffer.from(this.sent.subarray(0, length));
          outputs.push({ text: `device sends: ${decodeGloss(bytes)}`, bytes });
          this.sent = this.sent.subarray(length);
        }
        continue;
      }
      if (action.kind === "image") {
        outputs.push({ ...line(`the image: ${action.text}`), ...(action.taken && { taken: action.taken }) });
        continue;
      }
      if (this.sent.length > 0) outputs.push(line(`device sends: part ${hexOf(this.sent)}`));
      this.sent = Buffer.alloc(0);
      outputs.push(line(action.kind === "close" ? "device closes:" : `device opens: ${action.host} ${action.port}${action.tls ? " tls" : ""}`));
    }
    return outputs;
  }

  private async show(event: DeviceEvent): Promise<Output[]> {
    if (this.declines && isInbound(event.kind)) {
      this.declines = false;
      const { result } = await this.device.call("event_release", [Release.NotAccepted]);
      if (result !== 0) return [line(`answer: ${statusName(result)}`)];
    }
    if (event.kind === EventKind.Message) {
      if (event.offset === 0) this.parts = [];
      this.parts.push(event.payload);
      if (!(event.flags & EventFlag.Last)) return [];
      const payload = Buffer.concat(this.parts);
      if (payload.length !== event.total) throw new Error(`parts of ${payload.length} bytes, announced were ${event.total}`);
      return [line(eventLine(event, payload))];
    }
    return [line(eventLine(event))];
  }
}

/** How many pieces an image arrives in depends on how the bytes of the server are cut. */
function joinTaken(outputs: Output[]): Output[] {
  const joined: Output[] = [];
  for (const output of outputs) {
    const last = joined.at(-1);
    if (output.taken && last?.taken) last.taken = Buffer.concat([last.taken, output.taken]);
    else joined.push({ ...output });
  }
  return joined.map((each) => (each.taken ? { ...each, text: `${each.text} ${showBytes(each.taken)}` } : each));
}

function isInbound(kind: number): boolean {
  return kind === EventKind.Message || kind === EventKind.RpcRequest || kind === EventKind.SharedAttributes || kind === EventKind.AttributesResponse || kind === EventKind.RpcResponse;
}

function line(text: string): Output {
  return { text, bytes: undefined };
}

function duration(text: string): number {
  const found = /^([\d.]+) (ms|s|min|h)$/.exec(text);
  if (!found) throw new Error(`not a time: ${text}`);
  return Math.round(Number(found[1]) * { ms: 1, s: 1000, min: 60000, h: 3600000 }[found[2] as "ms"]!);
}
