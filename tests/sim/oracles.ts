// What must be true of every life, whatever happened in it.

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
  /** A healthy network leads to a connection by then. */
  readonly connectedByMs: number;
  /** Everything has come to its end by then. */
  readonly endMs: number;
  onFault(text: string): void;
}

/** What the device subscribes to by itself. */
const OWN_FILTERS = ["v1/devices/me/rpc/request/+", "v1/devices/me/attributes"];

/** At the end of the calm part nothing is left to do but PINGREQ, every 7.5 s at most. */
const IDLE_MS = 60_000;
const IDLE_POLLS_MAX = 100;

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

/** Lets the calm part pass and compares both sides of the wire. */
export function judge({ schedule, server, ledger, device, connectedByMs, endMs, onFault }: Rest): void {
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
  for (const filter of [...OWN_FILTERS, ...ledger.declared]) {
    // Only what the server grants can be alive.
    if (filter.startsWith("v") && !filter.endsWith("#") && session !== null && !session.filters.has(filter)) onFault(`the subscription to ${filter} is dead`);
  }
}
