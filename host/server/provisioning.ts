// Provisioning: what a device without credentials asks for, and which credentials it is given (spec 2.9, 11.18).

import { writeAttributes } from "./attributeWrites.ts";
import type { CertificateChain } from "./clientCertificate.ts";
import { accessToken, type Credentials, CredentialsError, mqttBasic, randomAlphanumeric, sha3, x509Certificate } from "./credentials.ts";
import { type Device, DeviceError, type DeviceOptions, type DeviceRegistry } from "./device.ts";
import type { ServerEvents } from "./events.ts";
import { readText } from "./gson.ts";
import { type Json, printString } from "./json.ts";
import { UncheckedError, UnconvertibleError } from "./outcome.ts";
import type { DeviceProfile, ProfileRegistry } from "./profiles.ts";

const credentialsTypes = ["ACCESS_TOKEN", "MQTT_BASIC", "X509_CERTIFICATE", "LWM2M_CREDENTIALS"] as const;

/** A text that is missing is empty. */
interface ProvisionRequest {
  readonly key: string;
  readonly secret: string;
  readonly deviceName: string;
  readonly isGateway: boolean;
  readonly credentialsType: (typeof credentialsTypes)[number];
  readonly token: string;
  readonly userName: string;
  readonly password: string;
  readonly clientId: string;
  readonly certificate: string;
}

/** A recognised member that is null, a required one that is missing and an unknown credentials type have no JSON answer. */
export function readProvisionRequest(json: Json): ProvisionRequest {
  if (!(json instanceof Map)) throw new UnconvertibleError("a provision request must be an object");
  const text = (name: string): string => (json.has(name) ? readText(json.get(name), name) : "");
  const required = (name: string): string => readText(json.get(name), name);
  const typeName = json.has("credentialsType") ? text("credentialsType") : "ACCESS_TOKEN";
  const credentialsType = credentialsTypes.find((type) => type === typeName);
  if (credentialsType === undefined) throw new UncheckedError('"credentialsType" is unknown');
  return {
    key: required("provisionDeviceKey"),
    secret: required("provisionDeviceSecret"),
    deviceName: text("deviceName"),
    isGateway: text("gateway").toLowerCase() === "true",
    credentialsType,
    token: text("token"),
    userName: text("username"),
    password: text("password"),
    clientId: text("clientId"),
    certificate: text("hash"),
  };
}

type Refusal = "NOT_FOUND" | "FAILURE";

const refusalReplies: Record<Refusal, string> = {
  NOT_FOUND: '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}',
  FAILURE: '{"errorMsg":"Failed to provision device!","status":"FAILURE"}',
};

export interface ProvisionerContext {
  readonly devices: DeviceRegistry;
  readonly profiles: ProfileRegistry;
  readonly events: ServerEvents;
  readonly now: () => number;
}

export class Provisioner {
  readonly #context: ProvisionerContext;

  constructor(context: ProvisionerContext) {
    this.#context = context;
  }

  /** The reply for the device, as JSON text. */
  answer(request: ProvisionRequest): string {
    const { events } = this.#context;
    const result = this.#provision(request);
    if (typeof result === "string") {
      events.emit("refused", { device: null, what: "provision", detail: request.deviceName, reason: result });
      return refusalReplies[result];
    }
    const { credentials } = result;
    events.emit("provisioned", { device: result, credentialsType: credentials.type });
    return `{"credentialsValue":${printValue(credentials)},"credentialsType":"${credentials.type}","status":"SUCCESS"}`;
  }

  /** A handshake: the first certificate that is known as a device's, or that a profile has, decides (spec 1.2). */
  take({ commonName, bodies }: CertificateChain): void {
    const { devices, profiles, events } = this.#context;
    for (const body of bodies) {
      if (devices.byCredentialsId(sha3(body))?.credentials.type === "X509_CERTIFICATE") return;
      const profile = profiles.byProvisionKey(sha3(body));
      if (profile?.provisionType !== "X509_CERTIFICATE_CHAIN") continue;
      const name = new RegExp(profile.certificatePattern).exec(commonName)?.[1] ?? "";
      const device = this.#certify(name, profile, x509Certificate(bodies[0]!));
      if (device === null) events.emit("refused", { device: null, what: "provision", detail: commonName, reason: "FAILURE" });
      else events.emit("provisioned", { device, credentialsType: device.credentials.type });
      return;
    }
  }

  /** A device that is there gets the new certificate in place of its old one; null when it may not be. */
  #certify(name: string, profile: DeviceProfile, credentials: Credentials): Device | null {
    const { devices } = this.#context;
    const known = name === "" ? undefined : devices.byName(name);
    if (known === undefined) return name !== "" && profile.isNewAllowed ? this.#add({ name, type: profile.name, credentials }) : null;
    if (known.type !== profile.name || known.credentials.type !== "X509_CERTIFICATE") return null;
    devices.changeCredentials(known, credentials);
    return known;
  }

  /** null when there is no room for another one. */
  #add(options: DeviceOptions): Device | null {
    try {
      return this.#context.devices.add(options);
    } catch (error) {
      if (error instanceof DeviceError) return null;
      throw error;
    }
  }

  #provision(request: ProvisionRequest): Device | Refusal {
    const name = request.deviceName.trim();
    if (request.deviceName !== "" && name === "") return "FAILURE";
    const profile = this.#context.profiles.byProvisionKey(request.key);
    if (profile?.provisionType === "X509_CERTIFICATE_CHAIN") throw new UncheckedError("the profile provisions by certificates alone");
    if (profile === undefined || profile.provisionSecret !== request.secret) return "NOT_FOUND";
    if (profile.provisionType === "DISABLED") return "NOT_FOUND";
    if (profile.provisionType === "ALLOW_CREATE_NEW_DEVICES") return this.#create(name, profile, request);
    return this.#check(name, profile);
  }

  #create(name: string, profile: DeviceProfile, request: ProvisionRequest): Device | Refusal {
    try {
      const credentials = requestedCredentials(request);
      const device = this.#context.devices.add({
        name: name === "" ? randomAlphanumeric() : name,
        type: profile.name,
        credentials,
        isGateway: request.isGateway,
      });
      return this.#markProvisioned(device);
    } catch (error) {
      if (error instanceof DeviceError || error instanceof CredentialsError) return "FAILURE";
      throw error;
    }
  }

  /** The device gets the credentials it has, whatever it asked for; any mark of an earlier time refuses it. */
  #check(name: string, profile: DeviceProfile): Device | Refusal {
    const device = this.#context.devices.byName(name);
    if (device?.type !== profile.name || device.attributes.SERVER_SCOPE.has(stateAttribute)) return "FAILURE";
    return this.#markProvisioned(device);
  }

  #markProvisioned(device: Device): Device {
    const { now, events } = this.#context;
    writeAttributes(device, "SERVER_SCOPE", [[stateAttribute, { type: "string", value: "provisioned" }]], now(), events);
    return device;
  }
}

const stateAttribute = "provisionState";

/** The type counts only where there is a value to go with it. */
function requestedCredentials(request: ProvisionRequest): Credentials {
  const { credentialsType, token, userName, password, clientId, certificate } = request;
  if ([token, userName, password, clientId, certificate].every((value) => value === "")) return accessToken(randomAlphanumeric());
  switch (credentialsType) {
    case "ACCESS_TOKEN":
      return accessToken(token);
    case "MQTT_BASIC":
      return mqttBasic({ clientId, userName, password });
    case "X509_CERTIFICATE":
      return x509Certificate(certificate);
    case "LWM2M_CREDENTIALS":
      throw new CredentialsError("a request has no member for LwM2M credentials");
  }
}

function printValue(credentials: Credentials): string {
  switch (credentials.type) {
    case "ACCESS_TOKEN":
      return printString(credentials.token);
    case "MQTT_BASIC":
      return printMqttBasic(credentials);
    case "X509_CERTIFICATE":
      return printString(credentials.certificate);
  }
}

/** Camel case here, though a request says `username`. */
export function printMqttBasic({ clientId, userName, password }: Extract<Credentials, { type: "MQTT_BASIC" }>): string {
  return `{"clientId":${printString(clientId)},"userName":${printString(userName)},"password":${printString(password)}}`;
}
