// REST for claiming a device as the customer, and giving it back (ThingsBoard's device-controller).

import type { FastifyInstance } from "fastify";
import { readText, requireObject, type RestContext, sendJson } from "./restCommon.ts";
import { printDevice, requireDeviceNamed } from "./restDevices.ts";

interface ClaimRoute {
  Params: { deviceName: string };
}

export function addClaimRoutes(app: FastifyInstance, { devices, claims }: RestContext): void {
  const path = "/api/customer/device/:deviceName/claim";
  app.post<ClaimRoute>(path, async ({ params, body }, reply) => {
    const device = requireDeviceNamed(devices, params.deviceName);
    const secretKey = body === undefined ? "" : (readText(requireObject(body), "secretKey") ?? "");
    const response = claims.claim(device, secretKey);
    // What does not succeed is answered with the bare word.
    if (response !== "SUCCESS") return sendJson(reply.status(400), JSON.stringify(response));
    return sendJson(reply, `{"device":${printDevice(device)},"response":"SUCCESS"}`);
  });
  app.delete<ClaimRoute>(path, async ({ params }, reply) => {
    claims.reclaim(requireDeviceNamed(devices, params.deviceName));
    return reply.status(200).send();
  });
}
