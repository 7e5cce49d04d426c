// All examples of this folder by name.

import { example as claim } from "./claim.ts";
import { example as gatewayReplyRpc } from "./gateway-reply-rpc.ts";
import { example as gatewayRequestAttributes } from "./gateway-request-attributes.ts";
import { example as gatewayTelemetry } from "./gateway-telemetry.ts";
import { example as provision } from "./provision.ts";
import { example as replyRpc } from "./reply-rpc.ts";
import { example as requestAttributes } from "./request-attributes.ts";
import { example as requestRpc } from "./request-rpc.ts";
import { example as subscribeAttributes } from "./subscribe-attributes.ts";
import { example as telemetry } from "./telemetry.ts";
import { example as telemetryPack } from "./telemetry-pack.ts";
import { example as updateFirmware } from "./update-firmware.ts";
import type { Example } from "./example.ts";

export const examples: Readonly<Record<string, Example>> = {
  telemetry,
  "telemetry-pack": telemetryPack,
  "request-attributes": requestAttributes,
  "subscribe-attributes": subscribeAttributes,
  "reply-rpc": replyRpc,
  "request-rpc": requestRpc,
  claim,
  provision,
  "update-firmware": updateFirmware,
  "gateway-telemetry": gatewayTelemetry,
  "gateway-request-attributes": gatewayRequestAttributes,
  "gateway-reply-rpc": gatewayReplyRpc,
};
