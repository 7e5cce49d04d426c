// The publish outcome rules R1 to R6: what the connection does with each outcome (spec 2.0, 11.13).

import type { Outcome } from "./outcome.ts";
import { reason } from "./reasons.ts";

export type PublishAction =
  /** PUBACK at QoS 1 and 2, nothing at QoS 0. The reason is for MQTT 5; 3.x sees a plain PUBACK. */
  | { readonly kind: "acknowledge"; readonly reasonCode: number }
  | { readonly kind: "silent" }
  /** Silent, and the queue rests until the next packet arrives. */
  | { readonly kind: "stall" }
  | { readonly kind: "close"; readonly reasonCode: number; readonly cause: string };

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
      return { kind: "close", reasonCode: reason.implementationSpecificError, cause: outcome.payload };
    case "limited":
      return { kind: "close", reasonCode: reason.implementationSpecificError, cause: "over a limit" };
    case "exception":
      if (isEarly) return { kind: "stall" };
      return { kind: "close", reasonCode: reason.serverShuttingDown, cause: outcome.reason };
    case "unknownTopic":
      return { kind: "acknowledge", reasonCode: reason.topicNameInvalid };
    case "unanswered":
      return { kind: "silent" };
  }
}
