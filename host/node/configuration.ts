// The configuration: one JSON object for every host, of which only what is not secret reaches the module.

import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { Status } from "../../build/generated/abi.ts";
import { isText } from "./check.ts";
import { ConfigurationError, MoteError } from "./errors.ts";
import { repeatedMember, withoutValues } from "./json-text.ts";
import type { RateLimits } from "./limits.ts";
import type { TlsSettings } from "./ports/tls.ts";

/** ABI.md, section 4, describes the keys; the module checks them. */
export interface Configuration {
  mqtt_host: string;
  mqtt_port?: number;
  client_id?: string;
  access_token?: string;
  user_name?: string;
  password?: string;
  clean_session?: boolean;
  keep_alive_s?: number;
  connect_timeout_s?: number;
  ack_timeout_s?: number;
  healthy_s?: number;
  reconnect_min_ms?: number;
  reconnect_max_ms?: number;
  qos?: 0 | 1;
  max_inflight?: number;
  receive_buffer?: number;
  send_buffer?: number;
  staging_buffer?: number;
  outbox_drop_oldest?: boolean;
  redeliver?: boolean;
  rpc?: boolean;
  ignore_missing_features?: boolean;
  shared_attributes?: boolean;
  max_requests?: number;
  session_limits?: boolean;
  messages_rate_limit?: string;
  telemetry_rate_limit?: string;
  telemetry_points_rate_limit?: string;
  provision?: ProvisionBody;
  firmware_title?: string;
  firmware_version?: string;
  software_title?: string;
  software_version?: string;
  ota_chunk_size?: number;
  ota_chunk_timeout_s?: number;
  ota_chunk_retries?: number;
  children_buffer?: number;
  child_keep_alive_s?: number;
  will_topic?: string;
  will_payload?: string;
  will_qos?: 0 | 1;
  will_retain?: boolean;
  tls?: TlsSettings;
  /** Settings of other hosts; not read here. */
  link?: object;
  host?: object;
}

/** The body of a provisioning request (ThingsBoard, device provisioning), as the server takes it. */
export interface ProvisionBody {
  readonly provisionDeviceKey: string;
  readonly provisionDeviceSecret: string;
  readonly deviceName?: string;
  readonly gateway?: boolean;
  readonly credentialsType?: "ACCESS_TOKEN" | "MQTT_BASIC" | "X509_CERTIFICATE";
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  readonly clientId?: string;
  readonly hash?: string;
}

/** What this host needs of it. The defaults are ABI.md's. */
export interface Prepared {
  /** What the module gets. */
  readonly text: string;
  readonly tls: TlsSettings | undefined;
  readonly address: string;
  readonly qos: 0 | 1;
  readonly sendBytes: number;
  readonly stagingBytes: number;
  /** Bytes of the outbox that the subscriptions of a device keep. */
  readonly subscriptionBytes: number;
  /** What holds until the server has told its own limits. */
  readonly rates: RateLimits;
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
}

export function prepare(configuration: Configuration | string): Prepared {
  const object = typeof configuration === "string" ? parse(configuration) : configuration;
  const { tls, link, host, ...rest } = object;
  // What stays here is checked here, as the module checks it for hosts that pass it on.
  for (const [text, value] of Object.entries({ tls, link, host })) {
    if (value !== undefined && (typeof value !== "object" || value === null || Array.isArray(value))) {
      throw new ConfigurationError(Status.WrongType, "configuration", { text });
    }
  }
  const belongsToHost = tls !== undefined || link !== undefined || host !== undefined;
  // A text stays as it was written, since the module judges that, too.
  const text = typeof configuration !== "string" ? JSON.stringify(tls === undefined ? rest : { ...rest, tls: {} })
    : belongsToHost ? withoutValues(configuration, ["tls", "link", "host"]) : configuration;
  return {
    text, tls,
    address: `${object.mqtt_host}:${object.mqtt_port ?? (tls === undefined ? 1883 : 8883)}`,
    qos: object.qos ?? 1,
    sendBytes: object.send_buffer ?? 1024,
    stagingBytes: object.staging_buffer ?? 256,
    subscriptionBytes: subscriptionBytes(object),
    rates: {
      messages: object.messages_rate_limit ?? null,
      telemetryMessages: object.telemetry_rate_limit ?? null,
      telemetryDataPoints: object.telemetry_points_rate_limit ?? null,
    },
    reconnectMinMs: object.reconnect_min_ms ?? 1000,
    reconnectMaxMs: object.reconnect_max_ms ?? 120000,
  };
}

/**
 * What the filters of the platform take in the outbox (ABI.md, section 4): of RPC, of the answers to the device's own, of attributes with the
 * answers to requests for them, of the chunks of an update, and the three of a gateway.
 */
export const FILTER_BYTES = { rpc: 48, rpcResponse: 48, attributes: 44 + 56, ota: 44, gateway: 44 + 52 + 36 } as const;

function subscriptionBytes(object: Configuration): number {
  const updates = [object.firmware_title, object.software_title].filter((title) => title !== undefined).length;
  const hasAttributes = object.shared_attributes !== false || updates > 0;
  return (object.rpc === false ? 0 : FILTER_BYTES.rpc) + (hasAttributes ? FILTER_BYTES.attributes : 0) + updates * FILTER_BYTES.ota;
}

/** Reads a configuration file; names of files in it are relative to `baseDirectory`. */
export function readConfiguration(path: string): { configuration: Configuration; baseDirectory: string } {
  const bytes = readFileSync(path);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigurationError(Status.InvalidUtf8, "configuration", { cause });
  }
  if (text.startsWith("\ufeff")) throw new ConfigurationError(Status.Malformed, "configuration", { text: "not JSON: it begins with a byte order mark" });
  const configuration = parse(text);
  // As the module says of a text; the object no longer shows it.
  const twice = repeatedMember(text);
  if (twice !== null) throw new ConfigurationError(Status.InvalidValue, "configuration", { text: `${twice} stands twice` });
  return { configuration, baseDirectory: dirname(path) };
}

/** Whether a text can be the beginning of a JSON document, as far as the parser's words tell. */
function isBegun(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const { message } = error as Error;
    const position = /position (\d+)/.exec(message)?.[1];
    return position === undefined ? message.includes("end of JSON input") : Number(position) >= text.length;
  }
}

/** Line and column, from 1, of the first character that no JSON document has there. The parser does not always say. */
function placeOfFault(text: string): string {
  let at = 0;
  for (let end = text.length; at < end;) {
    const middle = (at + end) >> 1;
    if (isBegun(text.slice(0, middle + 1))) at = middle + 1;
    else end = middle;
  }
  const lines = text.slice(0, at).split("\n");
  return `line ${lines.length}, column ${lines.at(-1)!.length + 1}`;
}

function parse(text: string): Configuration {
  if (!isText(text)) throw new ConfigurationError(Status.InvalidUtf8, "configuration");
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch {
    // The parser's own words may quote the text, and with it a secret.
    throw new ConfigurationError(Status.Malformed, "configuration", { text: `not JSON at ${placeOfFault(text)}` });
  }
  if (typeof object !== "object" || object === null || Array.isArray(object)) {
    throw new ConfigurationError(Status.WrongType, "configuration", { text: "not an object" });
  }
  return object as Configuration;
}

/** The module's verdict on a configuration, in the class that callers look for. */
export function asConfigurationError(error: unknown): unknown {
  if (!(error instanceof MoteError) || error.code === Status.Trapped) return error;
  return new ConfigurationError(error.code, "configuration", { text: error.text, value: error.value, cause: error.cause });
}
