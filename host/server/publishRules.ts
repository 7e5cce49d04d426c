// The publish outcome rules R1 to R6: what the connection does with each outcome (spec 2.0, 11.13).

import { printNotice } from "./gateway.ts";
import type { Outcome } from "./outcome.ts";
import { reason } from "./reasons.ts";
import { gatewayTopics } from "./topics.ts";

export type PublishAction =
  /** PUBACK at QoS 1 and 2, nothing at QoS 0. The reason is for MQTT 5; 3.x sees a plain PUBACK. */
  | { readonly kind: "acknowledge"; readonly reasonCode: number }
  | { readonly kind: "silent" }
  /** Silent, and the queue rests until the next packet arrives. */
  | { readonly kind: "stall" }
  /** `reasonCode` is for the DISCONNECT of MQTT 5, null for none; before it goes what the members name. */
  | {
      readonly kind: "close";
      readonly reasonCode: number | null;
      readonly cause: string;
      readonly pubackReason?: number;
      readonly message?: { readonly topic: string; readonly payload: string };
    };

export interface PublishCircumstances {
  readonly version: 3 | 4 | 5;
  readonly qos: 0 | 1 | 2;
  /** Sent before CONNACK. */
  readonly isEarly: boolean;
  readonly acknowledgesBadPayload: boolean;
}

export function actOn(outcome: Outcome, { version, qos, isEarly, acknowledgesBadPayload }: PublishCircumstances): PublishAction {
  switch (outcome.kind) {
    case "accepted":
      return { kind: "acknowledge", reasonCode: reason.success };
    case "unconvertible": {
      const reasonCode = reason.payloadFormatInvalid;
      const isAcknowledged = qos > 0 && (version === 5 || acknowledgesBadPayload);
      return isAcknowledged ? { kind: "acknowledge", reasonCode } : { kind: "close", reasonCode, cause: outcome.reason };
    }
    case "refusedWithMessage":
      return { kind: "close", reasonCode: reason.implementationSpecificError, cause: outcome.payload, message: outcome };
    case "limited":
      return { kind: "close", reasonCode: reason.implementationSpecificError, cause: "over a limit" };
    case "exception":
      if (isEarly) return { kind: "stall" };
      return { kind: "close", reasonCode: reason.serverShuttingDown, cause: outcome.reason };
    case "gatewayShape": {
      const reasonCode = reason.implementationSpecificError;
      return { kind: "close", reasonCode, cause: outcome.reason, ...(qos > 0 && { pubackReason: reasonCode }) };
    }
    case "refused": {
      const { reasonCode } = outcome;
      return { kind: "close", reasonCode, cause: outcome.reason, ...(qos > 0 && { pubackReason: reasonCode }) };
    }
    case "childUnconvertible":
      if (version < 5) return { kind: "close", reasonCode: null, cause: outcome.reason };
      return { kind: "acknowledge", reasonCode: reason.payloadFormatInvalid };
    case "childRefused":
      return { kind: "acknowledge", reasonCode: outcome.reasonCode };
    case "childLimited":
      return limitChild(outcome, version, qos);
    case "childUnregistered":
      // An exception there as well.
      if (isEarly) return { kind: "stall" };
      return { kind: "close", reasonCode: reason.serverShuttingDown, cause: "over a limit" };
    case "unknownTopic":
      return { kind: "acknowledge", reasonCode: reason.topicNameInvalid };
    case "unanswered":
      return { kind: "silent" };
  }
}

/** The notice that newer servers write after they closed is not sent at all; it never arrives (spec 11.8). */
function limitChild({ name, isAcknowledged }: Extract<Outcome, { kind: "childLimited" }>, version: 3 | 4 | 5, qos: 0 | 1 | 2): PublishAction {
  const close = { kind: "close", reasonCode: null, cause: "over a limit" } as const;
  if (isAcknowledged && qos > 0) return { ...close, pubackReason: reason.quotaExceeded };
  if (version < 5) return close;
  if (isAcknowledged) return { kind: "silent" };
  return { ...close, message: { topic: gatewayTopics.disconnect, payload: printNotice(name, reason.messageRateTooHigh) } };
}
