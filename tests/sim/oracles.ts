// What must be true of every life, whatever happened in it.

import { EventKind } from "../../build/generated/abi.ts";
import type { Device } from "./device.ts";
import type { Ledger } from "./ledger.ts";
import type { Schedule } from "./schedule.ts";
import type { Server } from "./server.ts";

export interface Rest {
  readonly schedule: Schedule;
  readonly server: Server;
  readonly ledger: Ledger;
  /** The device of the present boot. */
  device(): Device;
  /** What the device subscribes to by itself. */
  readonly ownFilters: readonly string[];
  /** A healthy network leads to a connection by then. */
  readonly connectedByMs: number;
  /** Everything has come to its end by then. */
  readonly endMs: number;
  onFault(text: string): void;
}

/** At the end of the calm part nothing is left to do but PINGREQ, every 7.5 s at most. */
const IDLE_MS = 60_000;
const IDLE_POLLS_MAX = 100;
/** The device waits 10 s for an answer, and may then have something else to do for 3 s. */
const PATIENCE_MS = 14_000;

/** In a session that lasts, the server hears of the children that are connected in the eyes of the application, and of no others. */
export function judgeChildren({ nowMs }: Schedule, { session, gateway }: Server, { children, connectedAtMs }: Ledger, onFault: (text: string) => void): void {
  if (gateway === null || connectedAtMs === null || session?.isOpen !== true || session.isDeaf || session.children === null) return;
  const beforeMs = nowMs - gateway.announcedMs;
  if (connectedAtMs > beforeMs) return;
  for (const { name, document, changedAtMs } of children.values()) {
    const isConnected = document !== null;
    if (changedAtMs > beforeMs || session.children.announced.has(name) === isConnected) continue;
    onFault(`${name} is ${isConnected ? "connected and was not announced" : "disconnected and was announced"}`);
  }
}

/** What the device subscribes to by itself and what it sends is acknowledged in time, or the session ends. */
export function judgeSession({ nowMs }: Schedule, { session }: Server, { connectedAtMs, owesSinceMs }: Ledger, filters: readonly string[], onFault: (text: string) => void): void {
  const beforeMs = nowMs - PATIENCE_MS;
  if (session === null || connectedAtMs === null || connectedAtMs > beforeMs) return;
  for (const filter of filters) if (!session.filters.has(filter)) onFault(`the subscription to ${filter} is dead in a session that goes on`);
  if (owesSinceMs !== null && owesSinceMs < beforeMs) onFault("a PUBACK does not come, and the session goes on");
}

/**
 * The counters of the present boot agree with what the application was told and with each other, when everything is at rest. Only where the module sends
 * nothing of its own but the refusal of an RPC that is too large.
 */
export function judgeCounters({ module }: Device, { events, offered }: Ledger, onFault: (text: string) => void): void {
  const counters = module.counters();
  const told = (...kinds: number[]): number => kinds.reduce((sum, kind) => sum + (events.get(kind) ?? 0), 0);
  const pairs: [string, number, number][] = [
    ["connects", counters.connects, told(EventKind.Connected)],
    ["messages received", counters.messagesReceived, told(EventKind.RpcRequest, EventKind.MessageTooLarge, EventKind.InvalidMessage)],
    ["messages offered", counters.messagesQueued + counters.messagesRefused, offered + told(EventKind.MessageTooLarge)],
    ["messages sent", counters.messagesSent - counters.messagesResent, counters.messagesQueued],
    ["messages delivered", counters.messagesDelivered, told(EventKind.Delivered)],
    ["messages rejected", counters.messagesRejected, told(EventKind.MessageRejected)],
  ];
  for (const [what, counted, known] of pairs) if (counted !== known) onFault(`${what}: counted ${counted} of ${known}`);
}

/** Lets the calm part pass and compares both sides of the wire. */
export function judge({ schedule, server, ledger, device, connectedByMs, endMs, ownFilters, onFault }: Rest): void {
  schedule.run(connectedByMs, () => server.session?.isOpen === true);
  if (server.session?.isOpen !== true) onFault("no connection within the cap of the backoff, on a healthy network");
  schedule.run(endMs - IDLE_MS);
  const busyPolls = device().polls;
  schedule.run(endMs);
  if (device().polls - busyPolls > IDLE_POLLS_MAX) onFault(`${device().polls - busyPolls} polls in an idle minute`);
  device().checkMemory();

  for (const { sequence, qos, isStored, isDelivered, excuse } of ledger.messages.values()) {
    if (qos === 0 || excuse !== null) continue;
    if (!isStored) onFault(`message ${sequence} is lost`);
    else if (!isDelivered) onFault(`message ${sequence} never got its Delivered`);
  }
  for (const { id, ends, excuse } of ledger.requests) {
    if (ends === 0 && excuse === null) onFault(`request ${id} has no end`);
  }
  for (const { id, isReplied, isAnswered, excuse } of [...ledger.rpcs.values(), ...ledger.childRpcs.values()]) {
    if (isReplied && !isAnswered && excuse === null) onFault(`the reply to RPC ${id} is lost`);
  }
  judgeChildren(schedule, server, ledger, onFault);
  const { updates } = server;
  if (!updates.isSettled) onFault(`the update to ${updates.version} has no end: ${updates.state}, runs ${updates.running}`);
  const { session } = server;
  for (const filter of [...ownFilters, ...ledger.declared]) {
    // Only what the server grants can be alive.
    if (filter.startsWith("v") && !filter.endsWith("#") && session !== null && !session.filters.has(filter)) onFault(`the subscription to ${filter} is dead`);
  }
}
