// What the server knows in a session that only provisions: its two topics, PINGREQ and DISCONNECT.

import type { Packet } from "mqtt-packet";
import type { Ledger } from "./ledger.ts";
import type { Random } from "./random.ts";

export const TOKEN = "token-of-the-device";
/** The user name of such a session. */
export const PROVISION = "provision";
export const PROVISION_BODY = '{"provisionDeviceKey":"k","provisionDeviceSecret":"s"}';
const REQUEST = "/provision/request";
const RESPONSE = "/provision/response";

/** What the server answers: a packet, a message, the end of the connection, or nothing. */
export type ProvisioningAnswer = Packet | { readonly topic: string; readonly text: string } | "end" | null;

interface Around {
  readonly isCalm: boolean;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly faults: string[];
}

export function answerProvisioning(packet: Packet, { isCalm, random, ledger, faults }: Around): ProvisioningAnswer {
  if (packet.cmd === "subscribe" && packet.subscriptions[0]?.topic === RESPONSE) return { cmd: "suback", messageId: packet.messageId!, granted: [1] };
  if (packet.cmd === "publish" && packet.topic === REQUEST) {
    if (ledger.isProvisioned) faults.push("provisions again though it has kept its credentials");
    if (packet.payload.toString() !== PROVISION_BODY) faults.push(`provisioning asks for ${packet.payload.toString()}`);
    if (!isCalm && random.percent(20)) return null; // no reply ever
    const isFound = isCalm || random.percent(80);
    const reply = isFound ? { credentialsValue: TOKEN, credentialsType: "ACCESS_TOKEN", status: "SUCCESS" } : { errorMsg: "Provision data was not found!", status: "NOT_FOUND" };
    return { topic: RESPONSE, text: JSON.stringify(reply) };
  }
  if (packet.cmd === "disconnect") return "end";
  if (packet.cmd !== "puback" && packet.cmd !== "pingreq") faults.push(`${packet.cmd} in a provisioning session`);
  return null;
}
