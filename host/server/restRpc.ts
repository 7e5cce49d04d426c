// REST for server-side RPC: one-way and two-way, on both of ThingsBoard's paths with their different error codes, and what is kept of persistent ones (spec 2.6).

import type { FastifyInstance, FastifyReply } from "fastify";
import type { Device } from "./device.ts";
import { isJson, JsonNumber, type JsonObject, parseJson, printString } from "./json.ts";
import { type PageQuery, printPage, refuseId, requireDevice, requireObject, type RestContext, RestError, sendJson } from "./restCommon.ts";
import { type Rpc, RpcQueueFullError, type RpcRequest, type RpcResult, rpcStatuses } from "./rpc.ts";
import { printRestJson } from "./values.ts";

interface ErrorStatuses {
  readonly noActiveConnection: number;
  readonly timeout: number;
}

const families: readonly { base: string; statuses: ErrorStatuses }[] = [
  { base: "/api/rpc", statuses: { noActiveConnection: 504, timeout: 504 } },
  { base: "/api/plugins/rpc", statuses: { noActiveConnection: 409, timeout: 408 } },
];

export function addRpcRoutes(app: FastifyInstance, options: RestContext): void {
  for (const { base, statuses } of families) {
    for (const direction of ["oneway", "twoway"] as const) {
      app.post<{ Params: { deviceId: string } }>(`${base}/${direction}/:deviceId`, async ({ params, body }, reply) => {
        const device = requireDevice(options.devices, params.deviceId);
        const request = readRequest(requireObject(body), direction === "oneway", options);
        try {
          const { rpc, result } = device.rpcs.submit(request);
          if (request.isPersistent && rpc.status !== "EXPIRED") return sendJson(reply, `{"rpcId":"${rpc.uuid}"}`);
          return answer(reply, await result, statuses);
        } catch (error) {
          throw error instanceof RpcQueueFullError ? new RestError(429, error.message) : error;
        }
      });
    }
  }
  addPersistentRoutes(app, options);
}

interface PersistentQuery extends PageQuery {
  rpcStatus?: string;
}

function addPersistentRoutes(app: FastifyInstance, { devices }: RestContext): void {
  const find = (id: string): [Device, Rpc] => {
    for (const device of devices) {
      const rpc = device.rpcs.persistent(id);
      if (rpc !== undefined) return [device, rpc];
    }
    return refuseId("RPC", id);
  };
  app.get<{ Params: { rpcId: string } }>("/api/rpc/persistent/:rpcId", async ({ params }, reply) => {
    const [device, rpc] = find(params.rpcId);
    return sendJson(reply, printRpc(rpc, device.id));
  });
  app.delete<{ Params: { rpcId: string } }>("/api/rpc/persistent/:rpcId", async ({ params }, reply) => {
    const [device, rpc] = find(params.rpcId);
    device.rpcs.deletePersistent(rpc);
    return reply.status(200).send();
  });
  app.get<{ Params: { deviceId: string }; Querystring: PersistentQuery }>(
    "/api/rpc/persistent/device/:deviceId",
    async ({ params, query }, reply) => {
      const device = requireDevice(devices, params.deviceId);
      const status = query.rpcStatus;
      if (status !== undefined && !rpcStatuses.some((each) => each === status)) {
        throw new RestError(400, `"rpcStatus" must be one of ${rpcStatuses.join(", ")}`);
      }
      const all = device.rpcs.allPersistent().filter((rpc) => status === undefined || rpc.status === status);
      return sendJson(reply, printPage(all.map((rpc) => printRpc(rpc, device.id)), query));
    },
  );
}

function readRequest(body: JsonObject, isOneWay: boolean, options: RestContext): RpcRequest {
  const method = body.get("method");
  if (typeof method !== "string" || method === "") throw new RestError(400, '"method" must be a text');
  const isPersistent = body.get("persistent") ?? false;
  if (typeof isPersistent !== "boolean") throw new RestError(400, '"persistent" must be true or false');
  const timeoutMs = Math.max(readNumber(body, "timeout") ?? options.rpcDefaultTimeoutMs, options.rpcMinTimeoutMs);
  const additionalInfo = body.get("additionalInfo");
  return {
    method,
    params: printRestJson(body.get("params") ?? null),
    isOneWay,
    isPersistent,
    expiresAtMs: readNumber(body, "expirationTime") ?? options.now() + timeoutMs,
    retries: readNumber(body, "retries") ?? null,
    additionalInfo: additionalInfo === undefined ? null : printRestJson(additionalInfo),
  };
}

function readNumber(body: JsonObject, name: string): number | undefined {
  const value = body.get(name);
  if (value === undefined || value === null) return undefined;
  if (value instanceof JsonNumber && /^\d+$/.test(value.text) && Number.isSafeInteger(Number(value.text))) return Number(value.text);
  throw new RestError(400, `"${name}" must be a whole number`);
}

function answer(reply: FastifyReply, result: RpcResult, statuses: ErrorStatuses): FastifyReply {
  if (result.kind === "sent") return reply.status(200).send();
  if (result.kind !== "reply") return reply.status(statuses[result.kind]).send();
  if (result.payload === "") return reply.status(200).send();
  if (!isJson(result.payload)) return reply.status(406).send();
  return sendJson(reply, printRestJson(parseJson(result.payload)));
}

/** ThingsBoard's Rpc: in the request the params and the additional info are texts. */
function printRpc(rpc: Rpc, deviceId: string): string {
  const { method, params, isOneWay, expiresAtMs, retries, additionalInfo } = rpc.request;
  const device = `{"entityType":"DEVICE","id":"${deviceId}"}`;
  const request =
    `{"id":"${rpc.uuid}","deviceId":${device},"oneway":${isOneWay},"expirationTime":${expiresAtMs},` +
    `"body":{"method":${printString(method)},"params":${printString(params)}},"persisted":true,"retries":${retries},` +
    `"additionalInfo":${additionalInfo === null ? null : printString(additionalInfo)}}`;
  return (
    `{"id":{"entityType":"RPC","id":"${rpc.uuid}"},"createdTime":${rpc.createdAtMs},"deviceId":${device},` +
    `"expirationTime":${expiresAtMs},"request":${request},"response":${rpc.response},"status":"${rpc.status}","additionalInfo":${additionalInfo}}`
  );
}
