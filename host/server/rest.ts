// The REST face: ThingsBoard's own paths for devices, telemetry, attributes and RPC, and `/api/mote` for what only a test needs.

import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { CredentialsError } from "./credentials.ts";
import { DeviceError } from "./device.ts";
import { FaultRequestError } from "./faults.ts";
import { type Json, JsonError, parseJson } from "./json.ts";
import { ProfileError } from "./profiles.ts";
import { addAttributeRoutes } from "./restAttributes.ts";
import { parseQuery, requireDevice, type RestContext, RestError, sendJson } from "./restCommon.ts";
import { addClaimRoutes } from "./restClaims.ts";
import { addCredentialsRoutes } from "./restCredentials.ts";
import { addDeviceRoutes } from "./restDevices.ts";
import { addLimitRoutes } from "./restLimits.ts";
import { addOtaRoutes } from "./restOta.ts";
import { addProfileRoutes } from "./restProfiles.ts";
import { addRpcRoutes } from "./restRpc.ts";
import { addTelemetryRoutes } from "./restTelemetry.ts";
import { isCrossSite } from "./sameSite.ts";
import { NumberTooLargeError } from "./values.ts";

/** Failures of the model that are the caller's. */
const refusals = [DeviceError, CredentialsError, ProfileError, NumberTooLargeError];

/** ThingsBoard's `errorCode` for the statuses used here. */
const errorCodes: Record<number, number> = { 400: 31, 403: 20, 404: 32, 429: 33 };

export function createRest(context: RestContext): FastifyInstance {
  const app = fastify({
    forceCloseConnections: true,
    routerOptions: { querystringParser: parseQuery },
    frameworkErrors: (error, _request, reply) => void sendError(reply, error.statusCode ?? 400, error.message, context.now()),
  });
  // Only JSON is taken, under the type of plain text too, and not by JSON.parse, which would round 64-bit integers.
  app.addContentTypeParser(["application/json", "text/plain"], { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, body === "" ? undefined : parseJson(body as string));
    } catch (error) {
      done(error instanceof JsonError ? new RestError(400, error.message) : (error as Error));
    }
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const isRefused = refusals.some((refusal) => error instanceof refusal);
    const status = isRefused ? 400 : (error.statusCode ?? 500);
    return sendError(reply, status, error.message, context.now());
  });
  const pathMethods = collectPaths(app);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?")[0]!;
    const methods = pathMethods.flatMap(([pattern, method]) => (pattern.test(path) ? [method] : []));
    if (methods.length === 0) return sendError(reply, 404, "there is no such path", context.now());
    return sendError(reply.header("allow", methods.join(", ")), 405, `Request method '${request.method}' is not supported`, context.now());
  });
  app.addHook("onRequest", async (request: FastifyRequest) => {
    if (isCrossSite(request.headers.host, request.headers.origin, context.host)) {
      throw new RestError(403, "requests from other sites are refused");
    }
  });
  addDeviceRoutes(app, context);
  addCredentialsRoutes(app, context);
  addClaimRoutes(app, context);
  addProfileRoutes(app, context);
  addTelemetryRoutes(app, context);
  addAttributeRoutes(app, context);
  addRpcRoutes(app, context);
  addOtaRoutes(app, context);
  addLimitRoutes(app, context);
  addMoteRoutes(app, context);
  return app;
}

/** Every path as it is added, so that a wrong method can be told from a wrong path. */
function collectPaths(app: FastifyInstance): readonly (readonly [pattern: RegExp, method: string])[] {
  const paths: (readonly [RegExp, string])[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    const pattern = new RegExp(`^${url.replaceAll(/:[^/]+/g, "[^/]+")}$`);
    for (const each of [method].flat()) if (each !== "HEAD") paths.push([pattern, each]);
  });
  return paths;
}

function sendError(reply: FastifyReply, status: number, message: string, nowMs: number): FastifyReply {
  const body = { status, message, errorCode: errorCodes[status] ?? 2, timestamp: nowMs };
  return sendJson(reply.status(status), JSON.stringify(body));
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
