// Decides a CONNECT: which device it is, or which CONNACK refuses it (spec 1.2, 1.3).

import type { IConnectPacket } from "mqtt-packet";
import type { ClientCertificate } from "./clientCertificate.ts";
import { type Login, matches, sha3 } from "./credentials.ts";
import type { Device, DeviceRegistry } from "./device.ts";
import type { Faults } from "./faults.ts";
import type { ProfileRegistry } from "./profiles.ts";
import { provisionName } from "./provisioningSession.ts";
import { reason } from "./reasons.ts";

export interface Refusal {
  /** MQTT 3.1 and 3.1.1. */
  readonly returnCode: number;
  /** MQTT 5, in CONNACK and again in the DISCONNECT that follows. */
  readonly reasonCode: number;
  /** MQTT 5, in the DISCONNECT, where it is another one. */
  readonly disconnectCode?: number;
  readonly cause: string;
}

/** The v5 reason for each 3.x code, for refusals asked for as a fault. */
const reasonOfReturnCode: Record<number, number> = { 1: 0x84, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87 };

/** No device: the login provisions (spec 2.9). */
export type LoginVerdict = { readonly device: Device | null } | { readonly refusal: Refusal };

export interface LoginContext {
  readonly devices: DeviceRegistry;
  readonly profiles: ProfileRegistry;
  readonly faults: Faults;
  readonly now: () => number;
}

/** The name for provisioning comes first; then a client certificate is all that counts when there is one (spec 1.2). */
export function decideLogin(connect: IConnectPacket, certificate: ClientCertificate | null, context: LoginContext): LoginVerdict {
  const askedCode = context.faults.takeRefusal();
  if (askedCode !== null) return refuse(askedCode, reasonOfReturnCode[askedCode] ?? 0x88, "refused as a fault asked");
  const { username, password, clientId } = connect;
  if (username === provisionName || clientId === provisionName) return { device: null };
  if (certificate !== null) return decideByCertificate(certificate, context);
  const device = findDevice({ clientId, userName: username ?? "", password: password?.toString() ?? "" }, context.devices);
  if (device !== null) return accept(device, context, 0x89);
  // An empty user name is one that was given.
  if (username !== undefined) return refuse(5, 0x86, password === undefined ? "unknown access token" : "wrong user name or password");
  if (password !== undefined) return refuse(5, 0x86, "password without user name");
  if (clientId.trim() !== "") return refuse(2, 0x85, "no credentials; the client id is not known");
  return refuse(5, 0x87, "no credentials");
}

/** The event that opens a session costs a message (spec 1.3, 5). */
export const rateRefusal: Refusal = {
  returnCode: 3,
  reasonCode: reason.connectionRateExceeded,
  disconnectCode: reason.messageRateTooHigh,
  cause: "over a limit",
};

/** The order of spec 1.2: client id with user name, then the user name as a token or as MQTT basic of its own. */
function findDevice(login: Login, devices: DeviceRegistry): Device | null {
  const { clientId, userName } = login;
  const whole = devices.byCredentialsId(sha3(userName === "" ? clientId : `${clientId}|${userName}`));
  // Found by both names, a wrong password is the end of it.
  if (whole?.credentials.type === "MQTT_BASIC") return matches(whole.credentials, login) ? whole : null;
  const named = userName === "" ? undefined : devices.byCredentialsId(userName);
  if (named === undefined) return null;
  // Beside an access token neither password nor client id is looked at.
  return named.credentials.type === "ACCESS_TOKEN" || matches(named.credentials, login) ? named : null;
}

function decideByCertificate({ body, validFromMs, validToMs }: ClientCertificate, context: LoginContext): LoginVerdict {
  const { devices, now } = context;
  const device = devices.byCredentialsId(sha3(body));
  if (device?.credentials.type !== "X509_CERTIFICATE") return refuse(5, 0x87, "unknown client certificate");
  if (now() < validFromMs || now() > validToMs) return refuse(5, 0x87, "the client certificate is not valid today");
  return accept(device, context, reason.implementationSpecificError);
}

/** A profile for another protocol makes the real server's check throw (spec 1.2, 11.22). */
function accept(device: Device, { profiles }: LoginContext, disconnectCode: number): LoginVerdict {
  const transportType = profiles.byName(device.type)?.transportType ?? "DEFAULT";
  if (transportType === "DEFAULT" || transportType === "MQTT") return { device };
  return { refusal: { returnCode: 3, reasonCode: 0x88, disconnectCode, cause: `the device profile is for ${transportType}` } };
}

function refuse(returnCode: number, reasonCode: number, cause: string): LoginVerdict {
  return { refusal: { returnCode, reasonCode, cause } };
}

/** CONNECTs the decoder rejects: the TCP connection closes without any CONNACK (spec 1.1). */
export function isUndecodable(connect: IConnectPacket & { bridgeMode?: boolean }): boolean {
  const { protocolVersion, protocolId, clientId, bridgeMode } = connect;
  if (bridgeMode === true || (protocolId === "MQIsdp") !== (protocolVersion === 3)) return true;
  return protocolVersion === 3 && (clientId.length < 1 || clientId.length > 23);
}
