// Device profiles, as far as they decide who may connect, how devices provision themselves and which topics they use (spec 1.2, 2.9, 2.12).

import { randomUUID } from "node:crypto";
import { certificateBody, randomAlphanumeric, sha3 } from "./credentials.ts";
import { type ProfileTopics, usualTopics } from "./topics.ts";

export const provisionTypes = ["DISABLED", "ALLOW_CREATE_NEW_DEVICES", "CHECK_PRE_PROVISIONED_DEVICES", "X509_CERTIFICATE_CHAIN"] as const;
/** ThingsBoard's strategies. */
export type ProvisionType = (typeof provisionTypes)[number];

export const transportTypes = ["DEFAULT", "MQTT", "COAP", "LWM2M", "SNMP"] as const;
export type TransportType = (typeof transportTypes)[number];

export interface ProfileOptions {
  /** A device belongs to the profile that its type names. */
  readonly name: string;
  /** DISABLED unless given. */
  readonly provisionType?: ProvisionType;
  /** 20 random characters unless given. Of a certificate chain the digest of the certificate, whatever is given. */
  readonly provisionKey?: string;
  /** The same; of a certificate chain the certificate that signs those of the devices, as PEM text, which has to be given. */
  readonly provisionSecret?: string;
  /** Of a certificate chain: a regular expression over the common name of a device, whose first group is the device's name. The whole name unless given. */
  readonly certificatePattern?: string;
  /** Of a certificate chain: whether devices are made that are not there. False unless given. */
  readonly isNewAllowed?: boolean;
  /** Devices of a profile for another protocol than MQTT cannot log in here. DEFAULT unless given. */
  readonly transportType?: TransportType;
  /** For the transport type MQTT alone; what is blank or not given is the usual topic. */
  readonly topics?: Partial<ProfileTopics>;
  /** "Send PUBACK on PUBLISH validation failure", for the transport type MQTT alone. False unless given. */
  readonly acknowledgesBadPayload?: boolean;
}

export interface DeviceProfile extends Required<ProfileOptions> {
  readonly topics: ProfileTopics;
  readonly id: string;
  readonly createdAtMs: number;
}

/** A profile that cannot be kept as asked. */
export class ProfileError extends Error {}

export const profilesMax = 1_000;

/** All profiles of the server. One for every type that a device has need not be there: it would change nothing. */
export class ProfileRegistry implements Iterable<DeviceProfile> {
  readonly #byId = new Map<string, DeviceProfile>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
    this.save({ name: "default" });
  }

  /** Makes a profile, or puts one in place of another with the same id. */
  save(options: ProfileOptions, id: string = randomUUID()): DeviceProfile {
    const { name, provisionType = "DISABLED", transportType = "DEFAULT", certificatePattern = "(.*)", isNewAllowed = false } = options;
    const { provisionKey, provisionSecret } = provisionType === "X509_CERTIFICATE_CHAIN" ? byCertificate(options.provisionSecret ?? "")
      : { provisionKey: options.provisionKey ?? randomAlphanumeric(), provisionSecret: options.provisionSecret ?? randomAlphanumeric() };
    const isMqtt = transportType === "MQTT";
    const topics = isMqtt ? completeTopics(options.topics ?? {}) : usualTopics;
    const acknowledgesBadPayload = isMqtt && (options.acknowledgesBadPayload ?? false);
    const others = [...this].filter((profile) => profile.id !== id);
    if (others.length >= profilesMax) throw new ProfileError(`there are ${profilesMax} device profiles already`);
    if (name === "") throw new ProfileError("a device profile needs a name");
    if (provisionKey === "" || provisionSecret === "") throw new ProfileError("provision key and secret must not be empty");
    if (groupsIn(certificatePattern) === 0) throw new ProfileError("certificateRegExPattern has no group for the name of the device");
    if (others.some((profile) => profile.name === name)) throw new ProfileError(`there is a device profile named "${name}" already`);
    if (others.some((profile) => profile.provisionKey === provisionKey)) throw new ProfileError("another device profile has this provision key");
    const createdAtMs = this.#byId.get(id)?.createdAtMs ?? this.#now();
    const provisioning = { provisionType, provisionKey, provisionSecret, certificatePattern, isNewAllowed };
    const profile = { id, createdAtMs, name, ...provisioning, transportType, topics, acknowledgesBadPayload };
    this.#byId.set(id, profile);
    return profile;
  }

  byId(id: string): DeviceProfile | undefined {
    return this.#byId.get(id);
  }

  byName(name: string): DeviceProfile | undefined {
    return [...this].find((profile) => profile.name === name);
  }

  byProvisionKey(key: string): DeviceProfile | undefined {
    return [...this].find((profile) => profile.provisionKey === key);
  }

  [Symbol.iterator](): Iterator<DeviceProfile> {
    return this.#byId.values();
  }
}

function completeTopics(topics: Partial<ProfileTopics>): ProfileTopics {
  const named = Object.entries(topics).filter(([, topic]) => topic?.trim());
  return { ...usualTopics, ...Object.fromEntries(named) };
}

function byCertificate(pem: string): { provisionKey: string; provisionSecret: string } {
  const provisionSecret = certificateBody(pem);
  if (provisionSecret === "") throw new ProfileError("the certificate of a certificate chain is empty");
  return { provisionKey: sha3(provisionSecret), provisionSecret };
}

function groupsIn(pattern: string): number {
  try {
    // With an empty alternative it matches anything, and then has all of its groups.
    return new RegExp(`${pattern}|`).exec("")!.length - 1;
  } catch {
    throw new ProfileError("certificateRegExPattern is no regular expression");
  }
}
