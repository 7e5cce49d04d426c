// REST for attributes: reading all scopes, writing and deleting shared and server ones, with the updates a device then receives.

import type { FastifyInstance } from "fastify";
import { deleteAttributes, writeAttributes } from "./attributeWrites.ts";
import type { Attribute, Device } from "./device.ts";
import type { AttributeScope } from "./events.ts";
import type { JsonObject } from "./json.ts";
import { printString } from "./json.ts";
import { type KeysQuery, readKeysParameter, requireDevice, requireObject, type RestContext, RestError, sendJson } from "./restCommon.ts";
import { castRestMember, printValue, type Value } from "./values.ts";

interface ScopeRoute {
  Params: { deviceId: string; scope: string };
  Querystring: KeysQuery;
}

const scopes: readonly AttributeScope[] = ["CLIENT_SCOPE", "SHARED_SCOPE", "SERVER_SCOPE"];

export function addAttributeRoutes(app: FastifyInstance, context: RestContext): void {
  const { devices, events, now } = context;
  const base = "/api/plugins/telemetry/DEVICE/:deviceId";
  app.get<ScopeRoute>(`${base}/values/attributes`, async ({ params, query }, reply) =>
    sendJson(reply, printAttributes(requireDevice(devices, params.deviceId), scopes, readKeysParameter(query))),
  );
  app.get<ScopeRoute>(`${base}/values/attributes/:scope`, async ({ params, query }, reply) => {
    const device = requireDevice(devices, params.deviceId);
    return sendJson(reply, printAttributes(device, [requireScope(params.scope)], readKeysParameter(query)));
  });
  app.get<ScopeRoute>(`${base}/keys/attributes`, async ({ params }) => {
    const device = requireDevice(devices, params.deviceId);
    return scopes.flatMap((scope) => [...device.attributes[scope].keys()]);
  });
  app.get<ScopeRoute>(`${base}/keys/attributes/:scope`, async ({ params }) => [
    ...requireDevice(devices, params.deviceId).attributes[requireScope(params.scope)].keys(),
  ]);
  const short = "/api/plugins/telemetry/:deviceId/:scope";
  for (const path of [`${base}/:scope`, `${base}/attributes/:scope`, short]) {
    app.post<ScopeRoute>(path, async ({ params, body }, reply) => {
      const device = requireDevice(devices, params.deviceId);
      const scope = requireScope(params.scope);
      if (scope === "CLIENT_SCOPE") throw new RestError(400, "only the device writes CLIENT_SCOPE");
      writeAttributes(device, scope, readMembers(requireObject(body)), now(), events);
      return reply.status(200).send();
    });
  }
  for (const path of [`${base}/:scope`, short]) {
    app.delete<ScopeRoute>(path, async ({ params, query }, reply) => {
      const device = requireDevice(devices, params.deviceId);
      const keys = readKeysParameter(query);
      if (keys === undefined || keys.length === 0) throw new RestError(400, '"keys" is required');
      deleteAttributes(device, requireScope(params.scope), keys, events);
      return reply.status(200).send();
    });
  }
}

function requireScope(scope: string): AttributeScope {
  const found = scopes.find((name) => name === scope);
  if (found === undefined) throw new RestError(400, `there is no attribute scope ${scope}`);
  return found;
}

function readMembers(body: JsonObject): [string, Value][] {
  if (body.size === 0) throw new RestError(400, "No attributes data found in request body!");
  return [...body].map(([key, json]) => {
    if (key.trim() === "") throw new RestError(400, "Key cannot be blank");
    const value = castRestMember(json);
    if (value === null) throw new RestError(400, `attribute "${key}" must not be null`);
    return [key, value];
  });
}

function printAttributes(device: Device, from: readonly AttributeScope[], keys: string[] | undefined): string {
  const found = from.flatMap((scope) => [...device.attributes[scope]].filter(([key]) => keys?.includes(key) ?? true));
  return `[${found.map(printAttribute).join(",")}]`;
}

function printAttribute([key, { value, lastUpdateTsMs }]: [string, Attribute]): string {
  return `{"lastUpdateTs":${lastUpdateTsMs},"key":${printString(key)},"value":${printValue(value)}}`;
}
