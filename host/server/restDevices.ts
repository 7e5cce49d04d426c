// REST for devices: finding them, creating them, making them gateways, and assigning OTA packages to them.

import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import type { Device } from "./device.ts";
import { type JsonObject, printJson, printString } from "./json.ts";
import { assignPackage, type OtaPackage, type OtaType, otaTypes } from "./ota.ts";
import { requireDevice, requireObject, type RestContext, RestError, sendJson } from "./restCommon.ts";

const packageMember: Record<OtaType, string> = { FIRMWARE: "firmwareId", SOFTWARE: "softwareId" };

export function printDevice(device: Device): string {
  const packages = otaTypes.map((type) => {
    const id = device.assignedPackages[type]?.id;
    return `"${packageMember[type]}":${id === undefined ? "null" : `{"entityType":"OTA_PACKAGE","id":"${id}"}`}`;
  });
  return (
    `{"id":{"entityType":"DEVICE","id":"${device.id}"},"createdTime":${device.createdAtMs},` +
    `"name":${printString(device.name)},"type":${printString(device.type)},"active":${device.session !== null},` +
    `${packages.join(",")},"additionalInfo":${printJson(device.additionalInfo)}}`
  );
}

/** A name for a token that nobody guesses: 20 characters, as ThingsBoard makes them. */
export function generateToken(): string {
  return randomBytes(15).toString("base64url");
}

export function addDeviceRoutes(app: FastifyInstance, context: RestContext): void {
  const { devices } = context;
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
  app.post<{ Querystring: { accessToken?: string } }>("/api/device", async (request, reply) => {
    const body = requireObject(request.body);
    const id = readEntityId(body, "id");
    const packages = otaTypes.map((type) => [type, readPackage(body, type, context)] as const);
    const info = readAdditionalInfo(body);
    const device = id == null ? createDevice(body, request.query.accessToken, context) : requireDevice(devices, id);
    if (body.has("name") && body.get("name") !== device.name) throw new RestError(400, "a device keeps its name");
    if (info !== undefined) device.additionalInfo = info ?? new Map();
    for (const [type, otaPackage] of packages) assignPackage(device, type, otaPackage, context);
    return sendJson(reply, printDevice(device));
  });
}

function createDevice(body: JsonObject, accessToken: string | undefined, { devices }: RestContext): Device {
  const name = body.get("name");
  const type = body.get("type") ?? "default";
  if (typeof name !== "string" || name === "") throw new RestError(400, '"name" must be a text');
  if (typeof type !== "string" || type === "") throw new RestError(400, '"type" must be a text');
  if (devices.byName(name) !== undefined) throw new RestError(400, "Device with such name already exists!");
  const token = accessToken ?? generateToken();
  if (devices.byToken(token) !== undefined) throw new RestError(400, "another device has this access token");
  return devices.add({ name, type, token });
}

/** `{"entityType":"...","id":"..."}`; null is null, and undefined when the member is absent. */
function readEntityId(body: JsonObject, name: string): string | null | undefined {
  const reference = body.get(name);
  if (reference === undefined || reference === null) return reference;
  const id = reference instanceof Map ? reference.get("id") : undefined;
  if (typeof id !== "string") throw new RestError(400, `"${name}" must be an object with an "id"`);
  return id;
}

/** As ThingsBoard saves a device: a package that the body does not name is taken off. */
function readPackage(body: JsonObject, type: OtaType, { packages }: RestContext): OtaPackage | null {
  const id = readEntityId(body, packageMember[type]);
  if (id == null) return null;
  const otaPackage = packages.byId(id);
  if (otaPackage?.type !== type) throw new RestError(400, `Can't assign non-existent ${type.toLowerCase()}!`);
  if (!otaPackage.isReady) throw new RestError(400, `Can't assign ${type.toLowerCase()} with empty data!`);
  return otaPackage;
}

function readAdditionalInfo(body: JsonObject): JsonObject | null | undefined {
  const info = body.get("additionalInfo");
  if (info === undefined || info === null || info instanceof Map) return info;
  throw new RestError(400, '"additionalInfo" must be an object');
}
