// Provisioning as a call of its own: asks the server for credentials, and leaves.

import type { Configuration, ProvisionBody } from "./configuration.ts";
import { DeviceClient } from "./client.ts";
import { checkIntegers, INTEGER_MAX } from "./check.ts";
import { errorOf, ProvisioningError } from "./errors.ts";
import { Status } from "../../build/generated/abi.ts";
import { MemoryStore } from "./ports/store.ts";
import type { PortOptions } from "./ports/default.ts";
import type { JsonValue } from "./values.ts";

/** How long the server may take, which for a refused key of an X.509 chain is 10 s and else may be for ever. */
const TIMEOUT_MS = 60_000;

/** What a device asks for; `credentials` absent lets the server make an access token. */
export interface ProvisionRequest {
  readonly provisionDeviceKey: string;
  readonly provisionDeviceSecret: string;
  /** The server makes one when absent. */
  readonly deviceName?: string | undefined;
  readonly gateway?: boolean | undefined;
  readonly credentials?: ProvisionCredentials | undefined;
}

export type ProvisionCredentials =
  | { readonly type: "ACCESS_TOKEN"; readonly token: string }
  | { readonly type: "MQTT_BASIC"; readonly clientId?: string; readonly userName?: string; readonly password?: string }
  | { readonly type: "X509_CERTIFICATE"; readonly certificate: string };

/** What the server gave; `configuration` is what to add to a configuration to use it. */
export interface Provisioned {
  readonly credentialsType: string;
  readonly credentialsValue: JsonValue;
  readonly configuration: Partial<Configuration>;
}

export interface ProvisionOptions extends Pick<PortOptions, "baseDirectory" | "ports"> {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The request as the server takes it: without any member that is null or absent. */
export function provisionBody(request: ProvisionRequest): ProvisionBody {
  const { provisionDeviceKey, provisionDeviceSecret, deviceName, gateway, credentials } = request;
  const present = <Values extends object>(values: Values): Values =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null)) as Values;
  const own = credentials === undefined ? {}
    : credentials.type === "ACCESS_TOKEN" ? { token: credentials.token }
    : credentials.type === "MQTT_BASIC" ? { clientId: credentials.clientId, username: credentials.userName, password: credentials.password }
    : { hash: credentials.certificate };
  return present({ provisionDeviceKey, provisionDeviceSecret, deviceName, gateway, credentialsType: credentials?.type, ...own }) as ProvisionBody;
}

/**
 * Asks for credentials in a session of its own and keeps nothing. `configuration` says where: host, port, TLS. Rejects with a
 * ProvisioningError that names what is wrong. A client with the key `provision` does the same by itself and keeps what it got.
 */
export async function provision(configuration: Configuration, request: ProvisionRequest, options: ProvisionOptions = {}): Promise<Provisioned> {
  checkIntegers("provisioning", options, { timeoutMs: [1, INTEGER_MAX] });
  const { timeoutMs = TIMEOUT_MS, signal, baseDirectory, ports } = options;
  const { access_token: _token, user_name: _name, password: _password, client_id: _id, ...place } = configuration;
  const client = new DeviceClient({ ...place, provision: provisionBody(request) }, {
    baseDirectory, ports: { ...ports, store: new MemoryStore() },
  });
  const enough = new AbortController();
  const end = (): void => enough.abort();
  const patience = setTimeout(end, timeoutMs);
  signal?.addEventListener("abort", end);
  const events = client.events({ signal: enough.signal });
  try {
    signal?.throwIfAborted();
    // What ends before the answer is told by the events, whatever `connect` makes of it.
    const connecting = client.connect({ retry: true });
    const refused = connecting.then(() => new Promise<never>(() => {}));
    return await Promise.race([answerOf(events, signal), refused]);
  } finally {
    clearTimeout(patience);
    signal?.removeEventListener("abort", end);
    await client.stop();
  }
}

async function answerOf(events: ReturnType<DeviceClient["events"]>, signal: AbortSignal | undefined): Promise<Provisioned> {
  for await (const event of events) {
    if (event.type === "ProvisioningFailed") throw new ProvisioningError(event.code, event.text, event.reply);
    if (event.type === "Provisioned") return provisioned(event.reply);
  }
  signal?.throwIfAborted();
  throw errorOf(Status.Timeout, "provisioning");
}

function provisioned(reply: string): Provisioned {
  const { credentialsType, credentialsValue } = JSON.parse(reply) as { credentialsType: string; credentialsValue: JsonValue };
  return { credentialsType, credentialsValue, configuration: configurationOf(credentialsType, credentialsValue) };
}

function configurationOf(type: string, value: JsonValue): Partial<Configuration> {
  if (type === "ACCESS_TOKEN") return { access_token: value as string };
  if (type !== "MQTT_BASIC") return {};
  // Parts that are not used come back empty.
  const { clientId, userName, password } = value as { clientId?: string; userName?: string; password?: string };
  return { ...(clientId ? { client_id: clientId } : {}), ...(userName ? { user_name: userName } : {}), ...(password ? { password } : {}) };
}
