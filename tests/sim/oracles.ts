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
  for (const { id, isReplied, isAnswered, excuse } of ledger.rpcs.values()) {
    if (isReplied && !isAnswered && excuse === null) onFault(`the reply to RPC ${id} is lost`);
  }
  const { updates } = server;
  if (!updates.isSettled) onFault(`the update to ${updates.version} has no end: ${updates.state}, runs ${updates.running}`);
  const { session } = server;
  for (const filter of [...OWN_FILTERS, ...ledger.declared]) {
    // Only what the server grants can be alive.
    if (filter.startsWith("v") && !filter.endsWith("#") && session !== null && !session.filters.has(filter)) onFault(`the subscription to ${filter} is dead`);
  }
}
