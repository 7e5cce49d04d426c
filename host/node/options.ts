// What callers of the client pass and get.

import type { State } from "../../build/generated/abi.ts";
import type { ModuleHooks, Profile } from "./instance.ts";
import type { SendOptions } from "./outbox.ts";
import type { PortOptions } from "./ports/default.ts";
import type { JsonValue } from "./values.ts";
import type { Counters } from "./event-record.ts";

export interface ClientOptions extends PortOptions {
  /** Which build of the module; "device" when absent. */
  readonly profile?: Profile | undefined;
  /** What a send does while the outbox is full; "wait" when absent. */
  readonly whenFull?: "wait" | "reject" | undefined;
  /** Sends that may wait at once; further ones are rejected. 256 when absent. */
  readonly waitingMax?: number | undefined;
  /** Most data points of a message that leaves in several; what the server allows, or any, when absent. */
  readonly splitPoints?: number | undefined;
  /** RPC requests and attribute updates that wait for a reader. 64 when absent. */
  readonly queueMessages?: number | undefined;
  /** Memory that the module may use, to see what a device would; its whole memory when absent. */
  readonly memoryBytes?: number | undefined;
  /** For tests. */
  readonly hooks?: ModuleHooks | undefined;
}

/** ABI.md's `State`, seen from the host, and `Failed` after too many traps. */
export type LinkState = keyof typeof State | "Failed";

export interface PublishOptions extends SendOptions {
  readonly qos?: 0 | 1 | undefined;
  readonly retain?: boolean | undefined;
}

export interface RequestOptions {
  /** How long the server may take to answer. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait; the request itself goes on. */
  readonly signal?: AbortSignal | undefined;
}

export interface AttributesRequest extends RequestOptions {
  /** Names of attributes. A scope without names is not asked for; without any in either all of both are. */
  readonly client?: readonly string[] | undefined;
  readonly shared?: readonly string[] | undefined;
}

export interface Attributes {
  readonly client: Readonly<Record<string, JsonValue>>;
  readonly shared: Readonly<Record<string, JsonValue>>;
}

/** What lets a user claim the device. */
export interface Claim {
  /** The empty key when absent. */
  readonly secretKey?: string | undefined;
  /** How long the claim may be taken up; the server's default when absent or 0. */
  readonly durationMs?: number | undefined;
}

export type Stats = Counters & {
  /** Sends that wait for room, messages without PUBACK, traps since the client was made. */
  readonly sendsWaiting: number;
  readonly messagesUnacknowledged: number;
  readonly traps: number;
};
