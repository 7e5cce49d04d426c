// The REST face: ThingsBoard's own paths for devices, telemetry, attributes and RPC, and `/api/mote` for what only a test needs.

import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Device } from "./device.ts";
import { FaultRequestError } from "./faults.ts";
import { type Json, JsonError, parseJson, printString } from "./json.ts";
import { addAttributeRoutes } from "./restAttributes.ts";
import { requireDevice, type RestContext, RestError, sendJson } from "./restCommon.ts";
import { addRpcRoutes } from "./restRpc.ts";
import { addTelemetryRoutes } from "./restTelemetry.ts";
import { isCrossSite } from "./sameSite.ts";

/** ThingsBoard's `errorCode` for the statuses used here. */
const errorCodes: Record<number, number> = { 400: 31, 403: 20, 404: 32, 429: 33 };

export function createRest(context: RestContext): FastifyInstance {
  const app = fastify({ forceCloseConnections: true });
  app.removeAllContentTypeParsers();
  // Only JSON is taken, and not by JSON.parse, which would round 64-bit integers.
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, body === "" ? undefined : parseJson(body as string));
    } catch (error) {
      done(error instanceof JsonError ? new RestError(400, error.message) : (error as Error));
    }
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    return sendError(reply, status, error.message, context.now());
  });
  app.setNotFoundHandler((_request, reply) => sendError(reply, 404, "there is no such path", context.now()));
  app.addHook("onRequest", async (request: FastifyRequest) => {
    if (isCrossSite(request.headers.host, request.headers.origin, context.host)) {
      throw new RestError(403, "requests from other sites are refused");
    }
  });
  addDeviceRoutes(app, context);
  addTelemetryRoutes(app, context);
  addAttributeRoutes(app, context);
  addRpcRoutes(app, context);
  addMoteRoutes(app, context);
  return app;
}

function sendError(reply: FastifyReply, status: number, message: string, nowMs: number): FastifyReply {
  const body = { status, message, errorCode: errorCodes[status] ?? 2, timestamp: nowMs };
  return sendJson(reply.status(status), JSON.stringify(body));
}

function printDevice(device: Device): string {
  return (
    `{"id":{"entityType":"DEVICE","id":"${device.id}"},"createdTime":${device.createdAtMs},` +
    `"name":${printString(device.name)},"type":"default","active":${device.session !== null}}`
  );
}

function addDeviceRoutes(app: FastifyInstance, { devices }: RestContext): void {
  app.get<{ Querystring: { deviceName?: string } }>("/api/tenant/devices", async (request, reply) => {
    const { deviceName } = request.query;
    if (deviceName !== undefined) {
      const device = devices.byName(deviceName);
      if (device === undefined) throw new RestError(404, `there is no device named ${deviceName}`);
      return sendJson(reply, printDevice(device));
    }
    const all = [...devices].map(printDevice);
    return sendJson(reply, `{"data":[${all.join(",")}],"totalPages":1,"totalElements":${all.length},"hasNext":false}`);
  });
  app.get<{ Params: { deviceId: string } }>("/api/device/:deviceId", async (request, reply) =>
    sendJson(reply, printDevice(requireDevice(devices, request.params.deviceId))),
  );
}

function addMoteRoutes(app: FastifyInstance, { devices, faults }: RestContext): void {
  app.get("/api/mote/faults", async () => faults.armed());
  app.post("/api/mote/faults", async (request) => {
    try {
      faults.apply((request.body ?? null) as Json);
    } catch (error) {
      throw error instanceof FaultRequestError ? new RestError(400, error.message) : error;
    }
    return faults.armed();
  });
  app.post<{ Params: { deviceId: string } }>("/api/mote/disconnect/:deviceId", async (request) => {
    const { session } = requireDevice(devices, request.params.deviceId);
    session?.link.abort("disconnected over REST");
    return { disconnected: session !== null };
  });
}
