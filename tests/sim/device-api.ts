// What the Device API of the server makes of a publish, and what it answers.

import type { Ledger } from "./ledger.ts";
import type { Random } from "./random.ts";
import type { Updates } from "./updates.ts";

export const TELEMETRY = "v1/devices/me/telemetry";
export const ATTRIBUTES = "v1/devices/me/attributes";
const ATTRIBUTES_REQUEST = "v1/devices/me/attributes/request/";
export const ATTRIBUTES_RESPONSE = "v1/devices/me/attributes/response/";
export const RPC_REQUEST = "v1/devices/me/rpc/request/";
export const RPC_RESPONSE = "v1/devices/me/rpc/response/";
const NO_LIMITS = '{"maxPayloadSize":65536,"maxInflightMessages":100,"rateLimits":{"messages":null,"telemetryMessages":null,"telemetryDataPoints":null}}';

interface Around {
  readonly isCalm: boolean;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly updates: Updates;
  readonly faults: string[];
}

export interface Answer {
  readonly topic: string;
  readonly text: string | Buffer;
}

/** Takes a publish; null when nothing is answered but its PUBACK. */
export function receiveOfDevice(topic: string, text: string, isRepeated: boolean, around: Around): Answer | null {
  const { isCalm, random, updates, faults } = around;
  const id = Number(/\d+$/.exec(topic)?.[0]);
  if (topic === TELEMETRY || topic === ATTRIBUTES) {
    store(text, around);
    return null;
  }
  if (topic.startsWith(RPC_RESPONSE)) {
    takeReply(id, text, isRepeated, around);
    return null;
  }
  if (topic.startsWith(ATTRIBUTES_REQUEST)) return answerAttributes(id, text, around);
  if (topic.startsWith(RPC_REQUEST)) {
    const { method } = JSON.parse(text) as { method?: string };
    if (method === undefined) faults.push(`client-side RPC without a method: ${text}`);
    if (!isCalm && random.percent(20)) return null;
    return { topic: `${RPC_RESPONSE}${id}`, text: method === "getSessionLimits" ? NO_LIMITS : random.percent(20) ? '{"error":"timeout"}' : '{"t":21}' };
  }
  const chunk = updates.chunk(topic, text);
  if (chunk === null || (!isCalm && random.percent(5))) return null;
  return { topic: topic.replace("request", "response"), text: chunk };
}

/** Takes telemetry: every entry carries the number by which the ledger knows its message. */
function store(text: string, { updates, ledger, faults }: Around): void {
  try {
    const values = JSON.parse(text) as { sequence?: number; fw_state?: string; current_fw_version?: string };
    updates.report(values);
    const { sequence } = values;
    const message = sequence === undefined ? undefined : ledger.messages.get(sequence);
    if (message !== undefined) message.isStored = true;
  } catch {
    faults.push(`no JSON: ${text.slice(0, 80)}`);
  }
}

function takeReply(id: number, text: string, isRepeated: boolean, { ledger, faults }: Around): void {
  const rpc = ledger.rpcs.get(id);
  if (rpc !== undefined) rpc.isAnswered = true;
  if (text === JSON.stringify({ done: id })) {
    if (rpc !== undefined && !isRepeated && ++rpc.answers > 1) faults.push(`RPC ${id} is answered ${rpc.answers} times`);
  } else if (text !== '{"error":"too_large"}') {
    faults.push(`reply ${id} is ${text}`);
  }
}

function answerAttributes(id: number, text: string, { isCalm, random, updates }: Around): Answer | null {
  const { sharedKeys = "a" } = JSON.parse(text) as { sharedKeys?: string };
  const topic = `${ATTRIBUTES_RESPONSE}${id}`;
  if (sharedKeys.startsWith("fw_title")) {
    if (!isCalm && random.percent(5)) return null;
    const shared = updates.attributes;
    return { topic, text: JSON.stringify(shared === null ? {} : { shared }) };
  }
  const dice = random.between(0, 99);
  if (!isCalm && dice < 10) return null; // the database is down: no answer ever
  return { topic, text: JSON.stringify({ shared: { [sharedKeys]: "v".repeat(dice < 20 ? 2000 : 3) } }) };
}
