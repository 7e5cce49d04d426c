// A login that only provisions: one topic up, one down, and an end some time after the reply (spec 2.9).

import { JsonError, parseLenientJson } from "./json.ts";
import { type Outcome, UncheckedError, UnconvertibleError } from "./outcome.ts";
import { type Provisioner, readProvisionRequest } from "./provisioning.ts";
import { reason } from "./reasons.ts";
import type { Link } from "./session.ts";
import { provisionTopics } from "./topics.ts";

/** The name that asks for such a login, as user name or as client id. */
export const provisionName = "provision";

const packetIdMax = 65_535;

export class ProvisioningSession {
  readonly device = null;
  readonly isSubscribedToRpc = false;
  readonly acknowledgesBadPayload = false;
  readonly clientId: string;
  readonly link: Link;
  readonly #provisioner: Provisioner;
  readonly #lingerMs: number;
  #grantedQos: 0 | 1 | null = null;
  #downlinkCount = 0;
  #end: NodeJS.Timeout | null = null;

  /** `lingerMs`: how long the connection stays after a reply. */
  constructor(clientId: string, link: Link, provisioner: Provisioner, lingerMs: number) {
    this.clientId = clientId;
    this.link = link;
    this.#provisioner = provisioner;
    this.#lingerMs = lingerMs;
  }

  receive(topic: string, payload: Buffer): Outcome {
    if (topic !== provisionTopics.request) {
      return { kind: "refused", reasonCode: reason.topicNameInvalid, reason: "a provisioning session takes nothing else" };
    }
    try {
      const reply = this.#provisioner.answer(readProvisionRequest(parseLenientJson(payload.toString("utf8"))));
      return { kind: "accepted", keepsAlive: false, afterAcknowledge: () => this.#reply(reply) };
    } catch (error) {
      if (error instanceof UncheckedError) {
        return { kind: "refused", reasonCode: reason.implementationSpecificError, reason: error.message };
      }
      if (error instanceof UnconvertibleError || error instanceof JsonError) return { kind: "unconvertible", reason: error.message };
      throw error;
    }
  }

  #reply(payload: string): void {
    this.link.deliver({ topic: provisionTopics.response, payload }, this.qosFor());
    // The first reply decides; the real server closes without a DISCONNECT.
    this.#end ??= setTimeout(() => this.link.close(null, "provisioning is over"), this.#lingerMs);
  }

  close(): void {
    if (this.#end !== null) clearTimeout(this.#end);
  }

  /** There is no idle close to hold off. */
  touch(): void {}

  allows(filter: string): boolean {
    return filter === provisionTopics.response;
  }

  subscribe(_filter: string, qos: 0 | 1): void {
    this.#grantedQos = qos;
  }

  isSubscribed(filter: string): boolean {
    return this.allows(filter) && this.#grantedQos !== null;
  }

  unsubscribe(): void {
    this.#grantedQos = null;
  }

  qosFor(): 0 | 1 {
    return this.#grantedQos ?? 1;
  }

  takePacketId(): number {
    return (this.#downlinkCount++ % packetIdMax) + 1;
  }

  /** Nothing here waits for a PUBACK. */
  awaitAcknowledge(): void {}

  acknowledge(): void {}
}
