// The codes of SUBACK and UNSUBACK, one per filter, by exact string (spec 2.11).

import { reason } from "./reasons.ts";
import { isUsualFilter } from "./topics.ts";

/** What decides over filters: the session of a device, or one that provisions. */
interface FilterRules {
  allows(filter: string): boolean;
  isSubscribed(filter: string): boolean;
}

export interface Grant {
  readonly filter: string;
  /** null: refused. */
  readonly qos: 0 | 1 | null;
}

export function grant(subscriptions: readonly { topic: string; qos: number }[], session: FilterRules, isRefusingAll: boolean): Grant[] {
  return subscriptions.map(({ topic: filter, qos }) => {
    if (isRefusingAll || !session.allows(filter)) return { filter, qos: null };
    return { filter, qos: qos === 0 ? 0 : 1 };
  });
}

/** What aedes is told: the granted filters. It would grant QoS 2 and close on a malformed filter, as those of a device profile may be. */
export function brokerSubscriptions(grants: readonly Grant[]): { topic: string; qos: 0 | 1 }[] {
  return grants.flatMap(({ filter, qos }) => (qos === null || !isUsualFilter(filter) ? [] : [{ topic: filter, qos }]));
}

export function subackCodes(grants: readonly Grant[], version: 3 | 4 | 5): number[] {
  const refused = version === 5 ? reason.topicFilterInvalid : reason.subscribeRefused;
  return grants.map(({ qos }) => qos ?? refused);
}

/** Takes the filters back one by one: one named twice was held the first time only. The codes are for MQTT 5; the UNSUBACK of 3.x carries none. */
export function unsubscribeAll(filters: readonly string[], session: FilterRules & { unsubscribe(filter: string): void }): number[] {
  return filters.map((filter) => {
    // Whether SUBSCRIBE would take it is not asked.
    if (!session.isSubscribed(filter)) return reason.noSubscriptionExisted;
    session.unsubscribe(filter);
    // A filter of the device profile is taken back, and what it brings goes on (spec 11.24).
    return isUsualFilter(filter) ? reason.success : reason.topicFilterInvalid;
  });
}

/** The server makes Java regular expressions of UNSUBSCRIBE filters, after putting patterns in place of the wildcards (spec 11.12); ECMAScript's are near enough. */
export function isRegularExpression(filter: string): boolean {
  try {
    return new RegExp(filter.replaceAll("+", "[^/]+").replaceAll("#", ".+"), "u") !== null;
  } catch {
    return false;
  }
}
