// Device profiles, as far as they decide who may connect and how devices provision themselves (spec 1.2, 2.9).

import { randomUUID } from "node:crypto";
import { certificateBody, randomAlphanumeric, sha3 } from "./credentials.ts";

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
}

export interface DeviceProfile extends Required<ProfileOptions> {
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
    const others = [...this].filter((profile) => profile.id !== id);
    if (others.length >= profilesMax) throw new ProfileError(`there are ${profilesMax} device profiles already`);
    if (name === "") throw new ProfileError("a device profile needs a name");
    if (provisionKey === "" || provisionSecret === "") throw new ProfileError("provision key and secret must not be empty");
    if (groupsIn(certificatePattern) === 0) throw new ProfileError("certificateRegExPattern has no group for the name of the device");
    if (others.some((profile) => profile.name === name)) throw new ProfileError(`there is a device profile named "${name}" already`);
    if (others.some((profile) => profile.provisionKey === provisionKey)) throw new ProfileError("another device profile has this provision key");
    const createdAtMs = this.#byId.get(id)?.createdAtMs ?? this.#now();
    const profile = { id, createdAtMs, name, provisionType, provisionKey, provisionSecret, certificatePattern, isNewAllowed, transportType };
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
