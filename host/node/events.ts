// What `events()` tells about the link, and how the module's event records become it.

import { EventKind, EventKindNames } from "../../build/generated/abi.ts";
import { statusName, type StatusName } from "./errors.ts";
import { answerText, parseAnswer, type ModuleEvent } from "./event-record.ts";
import type { Limits, SessionLimits } from "./limits.ts";

/** Named as in ABI.md, `EventKind`. Messages, RPC and attributes have iterators of their own. */
export type LinkEvent =
  | { readonly type: "Connected"; readonly sessionPresent: boolean }
  | { readonly type: "Disconnected" | "Unstable"; readonly reason: StatusName | "Unknown" }
  | { readonly type: "Refused"; readonly returnCode: number }
  | { readonly type: "Subscribed" | "SubscriptionRefused"; readonly topic: string }
  | { readonly type: "MessageAborted" }
  | { readonly type: "MessageRejected"; readonly id: number; readonly topic: string; readonly payload: Uint8Array }
  | { readonly type: "MessageTooLarge"; readonly id: number; readonly topic: string; readonly bytesNeeded: number }
  /** Of a child's attributes that are no object `topic` is the child's name. */
  | { readonly type: "InvalidMessage"; readonly topic: string; readonly reason: StatusName | "Unknown" }
  | { readonly type: "RequestTimeout"; readonly id: number }
  /** Null: the server answered with an error, as those before 3.8 do; what held before holds on. */
  | { readonly type: "SessionLimits"; readonly limits: SessionLimits | null }
  | { readonly type: "Provisioned"; readonly reply: string }
  | { readonly type: "ProvisioningFailed"; readonly reason: StatusName | "Unknown"; readonly code: number; readonly text: string; readonly reply: string }
  | { readonly type: "ChildDisconnected"; readonly child: string; readonly reason: number }
  | { readonly type: "AppFailed"; readonly reason: StatusName | "Unknown"; readonly name: string }
  | { readonly type: "Restarted"; readonly messagesLost: number }
  | { readonly type: "Failed"; readonly cause: string; readonly messagesLost: number };

/** The event for the reader, or null for kinds that `events()` does not tell. What it says of limits is learnt by that. */
export function linkEvent(event: ModuleEvent, limits: Limits): LinkEvent | null {
  const { kind, id, topic, reason, payload, total } = event;
  switch (kind) {
    case EventKind.Connected: return { type: "Connected", sessionPresent: reason === 1 };
    case EventKind.Disconnected: return { type: "Disconnected", reason: statusName(reason) };
    case EventKind.Unstable: return { type: "Unstable", reason: statusName(reason) };
    case EventKind.Refused: return { type: "Refused", returnCode: reason };
    case EventKind.Subscribed:
    case EventKind.SubscriptionRefused:
      return { type: EventKindNames[kind] as "Subscribed", topic };
    case EventKind.MessageAborted: return { type: "MessageAborted" };
    case EventKind.MessageRejected: return { type: "MessageRejected", id, topic, payload };
    case EventKind.MessageTooLarge: return { type: "MessageTooLarge", id, topic, bytesNeeded: total };
    case EventKind.InvalidMessage: return { type: "InvalidMessage", topic, reason: statusName(reason) };
    case EventKind.RequestTimeout: return { type: "RequestTimeout", id };
    case EventKind.SessionLimits: return { type: "SessionLimits", limits: reason < 0 ? null : limits.learn(parseAnswer(event, "session limits")) };
    case EventKind.Provisioned: return { type: "Provisioned", reply: answerText(event) };
    case EventKind.ProvisioningFailed: return { type: "ProvisioningFailed", reason: statusName(reason), code: reason, text: event.name, reply: answerText(event) };
    case EventKind.ChildDisconnected: return { type: "ChildDisconnected", child: JSON.parse(`"${topic}"`) as string, reason };
    default: return null;
  }
}
