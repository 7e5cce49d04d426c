// REST for server-side RPC: one-way and two-way, on both of ThingsBoard's paths with their different error codes (spec 2.6).

import type { FastifyInstance, FastifyReply } from "fastify";
import { isJson, JsonNumber, type JsonObject, parseJson, printJson } from "./json.ts";
import { requireDevice, requireObject, type RestContext, RestError, sendJson } from "./restCommon.ts";
import { type Rpc, RpcQueueFullError, type RpcRequest, type RpcResult } from "./rpc.ts";

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
          if (request.isPersistent) return sendJson(reply, `{"rpcId":"${rpc.uuid}"}`);
          return answer(reply, await result, statuses);
        } catch (error) {
          throw error instanceof RpcQueueFullError ? new RestError(429, error.message) : error;
        }
      });
    }
  }
  app.get<{ Params: { rpcId: string } }>("/api/rpc/persistent/:rpcId", async ({ params }, reply) => {
    for (const device of options.devices) {
      const rpc = device.rpcs.persistent(params.rpcId);
      if (rpc !== undefined) return sendJson(reply, printRpc(rpc, device.id));
    }
    throw new RestError(404, `there is no RPC with id ${params.rpcId}`);
  });
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
    params: printJson(body.get("params") ?? null),
    isOneWay,
    isPersistent,
    expiresAtMs: readNumber(body, "expirationTime") ?? options.now() + timeoutMs,
    additionalInfo: additionalInfo === undefined ? null : printJson(additionalInfo),
  };
}

function readNumber(body: JsonObject, name: string): number | undefined {
  const value = body.get(name);
  if (value === undefined || value === null) return undefined;
  if (value instanceof JsonNumber && /^\d+$/.test(value.text)) return Number(value.text);
  throw new RestError(400, `"${name}" must be a whole number`);
}

function answer(reply: FastifyReply, result: RpcResult, statuses: ErrorStatuses): FastifyReply {
  if (result.kind === "sent") return reply.status(200).send();
  if (result.kind !== "reply") return reply.status(statuses[result.kind]).send();
  if (result.payload === "") return reply.status(200).send();
  if (!isJson(result.payload)) return reply.status(406).send();
  return sendJson(reply, printJson(parseJson(result.payload)));
}

function printRpc(rpc: Rpc, deviceId: string): string {
  const { method, params, isOneWay, expiresAtMs, additionalInfo } = rpc.request;
  const request = `{"method":${JSON.stringify(method)},"params":${params},"oneway":${isOneWay}}`;
  return (
    `{"id":{"entityType":"RPC","id":"${rpc.uuid}"},"createdTime":${rpc.createdAtMs},` +
    `"deviceId":{"entityType":"DEVICE","id":"${deviceId}"},"expirationTime":${expiresAtMs},` +
    `"request":${request},"response":${rpc.response},"status":"${rpc.status}","additionalInfo":${additionalInfo}}`
  );
}
