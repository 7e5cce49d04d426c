// Decides a CONNECT: which device it is, or which CONNACK refuses it (spec 1.2, 1.3).

import type { IConnectPacket } from "mqtt-packet";
import type { Device, DeviceRegistry } from "./device.ts";
import type { Faults } from "./faults.ts";
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

export type LoginVerdict = { readonly device: Device } | { readonly refusal: Refusal };

/** An access token in the user name is all that counts: password and client id are not looked at (spec 1.2). */
export function decideLogin(connect: IConnectPacket, devices: DeviceRegistry, faults: Faults): LoginVerdict {
  const askedCode = faults.takeRefusal();
  if (askedCode !== null) return refuse(askedCode, reasonOfReturnCode[askedCode] ?? 0x88, "refused as a fault asked");
  const { username, password, clientId } = connect;
  if (username) {
    const device = devices.byToken(username);
    return device === undefined ? refuse(5, 0x86, "unknown access token") : { device };
  }
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

function refuse(returnCode: number, reasonCode: number, cause: string): LoginVerdict {
  return { refusal: { returnCode, reasonCode, cause } };
}

/** CONNECTs the decoder rejects: the TCP connection closes without any CONNACK (spec 1.1). */
export function isUndecodable(connect: IConnectPacket & { bridgeMode?: boolean }): boolean {
  const { protocolVersion, protocolId, clientId, bridgeMode } = connect;
  if (bridgeMode === true || (protocolId === "MQIsdp") !== (protocolVersion === 3)) return true;
  return protocolVersion === 3 && (clientId.length < 1 || clientId.length > 23);
}
