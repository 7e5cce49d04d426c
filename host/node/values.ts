// The JavaScript values that become messages.

/** Ready JSON text, sent as it is; the module checks that it is valid. */
export class JsonText {
  constructor(readonly text: string) {}
}

/** What a member may hold. As with JSON.stringify, `undefined` members are left out and `toJSON` is asked. */
export type MessageValue =
  | null | boolean | number | bigint | string | JsonText | Date | undefined
  | readonly MessageValue[] | { readonly [key: string]: MessageValue };

export type MessageValues = { readonly [key: string]: MessageValue };

/** Values with the time at which they were measured, in milliseconds since 1970. */
export interface TimedValues {
  readonly ts: number | bigint | Date;
  readonly values: MessageValues;
  /** Of a gateway's child: where the values came from. Elsewhere ThingsBoard ignores it. */
  readonly metadata?: ConnectorMetadata | JsonText;
}

/**
 * Which connector of a gateway read the values, and when, in milliseconds since 1970: from when it received them to when it published
 * them, and from then to now, ThingsBoard reports as the latencies `gatewayMetrics` (MQTT Gateway API, Telemetry upload).
 */
export interface ConnectorMetadata {
  readonly connector: string;
  readonly receivedTs: number | bigint | Date;
  readonly publishedTs: number | bigint | Date;
}

/** One entry of telemetry, with the server's time or its own. */
export type Entry = MessageValues | TimedValues;

export type Telemetry = Entry | JsonText | readonly Entry[];

/** What JSON.parse answers. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

export function isTimed(value: MessageValues | TimedValues): value is TimedValues {
  const { ts, values, metadata } = value as Partial<TimedValues>;
  const isTime = typeof ts === "number" || typeof ts === "bigint" || ts instanceof Date;
  return isTime && isObject(values) && Object.keys(value).length === ("metadata" in value ? 3 : 2) && (metadata === undefined || isObject(metadata));
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
