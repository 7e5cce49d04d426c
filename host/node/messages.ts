// Telemetry and attributes on their way out, in as many messages as the limits ask for.

import { setMaxListeners } from "node:events";
import { checkPublish } from "./check.ts";
import { errorOf } from "./errors.ts";
import { Status } from "../../build/generated/abi.ts";
import { entriesOf, membersOf } from "./json-text.ts";
import { messageRecord, telemetryValue, valueCost } from "./message.ts";
import type { SendVerb } from "./module.ts";
import type { PublishOptions } from "./options.ts";
import type { Outbox } from "./outbox.ts";
import { countPoints, splitAttributes, splitTelemetry, type MessageLimits } from "./split.ts";
import { JsonText, type Entry, type MessageValue, type MessageValues, type Telemetry } from "./values.ts";

export class Messages {
  /** `limits` are asked for each message, since the server may change them with each session. */
  constructor(private readonly outbox: Outbox, private readonly limits: () => MessageLimits) {}

  telemetry(telemetry: Telemetry, options: PublishOptions): Promise<void> {
    const entries = (): readonly Entry[] =>
      (telemetry instanceof JsonText ? entriesOf(telemetry) : Array.isArray(telemetry) ? telemetry : [telemetry]) as readonly Entry[];
    return this.send("telemetry", "send_telemetry", telemetryValue(telemetry), options, () => countPoints(entries()),
      (limits) => splitTelemetry(entries(), limits));
  }

  attributes(values: MessageValues | JsonText, options: PublishOptions): Promise<void> {
    if (typeof values !== "object" || values === null) throw errorOf(Status.InvalidValue, "attributes", { text: "not an object" });
    const members = (): MessageValues => (values instanceof JsonText ? membersOf(values) : values);
    return this.send("attributes", "send_attributes", values, options, () => countPoints([members()]),
      (limits) => splitAttributes(members(), limits));
  }

  /** Sends a value whole where it fits, else what `split` makes of it. */
  send(
    doing: string, verb: SendVerb, value: MessageValue, options: PublishOptions,
    points: () => number, split: (limits: MessageLimits) => MessageValue[], limits = this.limits(), children = 0,
  ): Promise<void> {
    checkPublish(doing, options);
    const { recordBytes, jsonBytes } = valueCost(value);
    const fits = recordBytes <= limits.recordBytes && jsonBytes <= limits.jsonBytes && children <= limits.children &&
      (limits.points === Infinity || points() <= limits.points);
    return this.#publish(doing, verb, fits ? [value] : split(limits), options);
  }

  /** Resolves when the last is delivered. They enter the outbox one after the other, so a long list takes one place of those that wait. */
  async #publish(doing: string, verb: SendVerb, values: readonly MessageValue[], options: PublishOptions): Promise<void> {
    if (values.length === 0) throw errorOf(Status.InvalidValue, doing, { text: "nothing to send" });
    if (values.length === 1 || options.signal === undefined) return this.#publishAll(doing, verb, values, options, options.signal);
    // The caller's signal is listened to once: of more than ten listeners Node warns as of a leak.
    const { signal } = options;
    signal.throwIfAborted();
    const ended = new AbortController();
    setMaxListeners(0, ended.signal);
    const end = (): void => ended.abort(signal.reason);
    signal.addEventListener("abort", end, { once: true });
    try {
      await this.#publishAll(doing, verb, values, options, ended.signal);
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  async #publishAll(doing: string, verb: SendVerb, values: readonly MessageValue[], options: PublishOptions, signal: AbortSignal | undefined): Promise<void> {
    const delivered: Promise<void>[] = [];
    for (const [index, value] of values.entries()) {
      const record = messageRecord(value);
      await new Promise<void>((resolve, reject) => {
        const sent = this.outbox.publish(doing, {
          signal,
          // Who does not want to wait is told by the first message; the others belong to what was begun.
          whenFull: index === 0 ? options.whenFull : "wait",
          onAppended: (id) => {
            options.onAppended?.(id);
            resolve();
          },
        }, (module) => module.send(verb, record, options));
        sent.catch(reject);
        delivered.push(sent);
      });
    }
    await Promise.all(delivered);
  }
}
