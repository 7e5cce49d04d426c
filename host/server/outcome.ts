// How one PUBLISH ended, in the words of the publish outcome rules R1 to R6 (spec 2.0), and the failures that lead to them.

export type Outcome =
  /** R1. `keepsAlive` is false for the few accepted packets that do not refresh the session (spec 11.2). What must follow the PUBACK is done by `afterAcknowledge`. Old servers acknowledge a gateway's message `pubackCount` times. */
  | { readonly kind: "accepted"; readonly keepsAlive: boolean; readonly afterAcknowledge?: () => void; readonly pubackCount?: number }
  /** R2: the payload cannot be converted. */
  | { readonly kind: "unconvertible"; readonly reason: string }
  /** R3: over a limit. */
  | { readonly kind: "limited" }
  /** R4: the real server meets an unchecked exception. */
  | { readonly kind: "exception"; readonly reason: string }
  /** The device is sent a message in place of the PUBACK, then the connection closes (spec 2.10). */
  | { readonly kind: "refusedWithMessage"; readonly topic: string; readonly payload: string }
  /** A gateway message of a wrong shape: acknowledged as failed, then the connection closes (spec 11.28). */
  | { readonly kind: "gatewayShape"; readonly reason: string }
  /** The payload of a child cannot be converted (spec 3.1, 11.28). */
  | { readonly kind: "childUnconvertible"; readonly reason: string }
  /** The device of a child cannot be made (spec 3.2). */
  | { readonly kind: "childRefused"; readonly reasonCode: number }
  /** Telemetry, attributes or a claim of a child is over the limit (spec 3.8, 11.8, 11.10). */
  | { readonly kind: "childLimited"; readonly name: string; readonly isAcknowledged: boolean }
  /** A child that is not known yet is over the limit (spec 11.7). */
  | { readonly kind: "childUnregistered" }
  /** In a provisioning session: acknowledged with the reason, then the connection closes with it (spec 2.9). */
  | { readonly kind: "refused"; readonly reasonCode: number; readonly reason: string }
  /** R5. */
  | { readonly kind: "unknownTopic" }
  /** R6, and `[]` as telemetry: nothing happens and no PUBACK ever comes. */
  | { readonly kind: "unanswered" };

export const accepted = { kind: "accepted", keepsAlive: true } as const satisfies Outcome;

/** Thrown while reading a payload that R2 refuses. */
export class UnconvertibleError extends Error {}

/** Thrown where the real server's Java code would throw unchecked (R4). */
export class UncheckedError extends Error {}

/** Java's Integer.parseInt for request ids in topics (spec 0); undefined where Java would throw. */
export function readRequestId(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const id = Number(text);
  return id >= -(2 ** 31) && id < 2 ** 31 ? id : undefined;
}
