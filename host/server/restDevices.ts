// REST for devices: finding, creating and deleting them, making them gateways, and assigning OTA packages to them.

import type { FastifyInstance } from "fastify";
import { accessToken, type Credentials, randomAlphanumeric } from "./credentials.ts";
import type { Device, DeviceRegistry } from "./device.ts";
import { type JsonObject, printJson, printString } from "./json.ts";
import { assignPackage, type OtaPackage, type OtaType, otaTypes } from "./ota.ts";
import { reason } from "./reasons.ts";
import { type PageQuery, printPage, readText, requireDevice, requireObject, type RestContext, RestError, sendJson } from "./restCommon.ts";

const packageMember: Record<OtaType, string> = { FIRMWARE: "firmwareId", SOFTWARE: "softwareId" };

/** ThingsBoard's id of no entity. */
const noCustomer = "13814000-1dd2-11b2-8080-808080808080";

export function printDevice(device: Device): string {
  const packages = otaTypes.map((type) => {
    const id = device.assignedPackages[type]?.id;
    return `"${packageMember[type]}":${id === undefined ? "null" : `{"entityType":"OTA_PACKAGE","id":"${id}"}`}`;
  });
  return (
    `{"id":{"entityType":"DEVICE","id":"${device.id}"},"createdTime":${device.createdAtMs},` +
    `"customerId":{"entityType":"CUSTOMER","id":"${device.customerId ?? noCustomer}"},` +
    `"name":${printString(device.name)},"type":${printString(device.type)},"active":${device.session !== null},` +
    `${packages.join(",")},"additionalInfo":${printJson(device.additionalInfo)}}`
  );
}

export function addDeviceRoutes(app: FastifyInstance, context: RestContext): void {
  const { devices } = context;
  app.get<{ Querystring: PageQuery & { deviceName?: string } }>("/api/tenant/devices", async (request, reply) => {
    const { deviceName } = request.query;
    if (deviceName !== undefined) {
      return sendJson(reply, printDevice(requireDeviceNamed(devices, deviceName)));
    }
    return sendJson(reply, printPage([...devices].map(printDevice), request.query));
  });
  app.get<{ Params: { deviceId: string } }>("/api/device/:deviceId", async (request, reply) =>
    sendJson(reply, printDevice(requireDevice(devices, request.params.deviceId))),
  );
  app.post<{ Querystring: { accessToken?: string } }>("/api/device", async ({ query, body }, reply) => {
    const credentials = accessToken(query.accessToken ?? randomAlphanumeric());
    return sendJson(reply, printDevice(saveDevice(requireObject(body), credentials, context)));
  });
  app.delete<{ Params: { deviceId: string } }>("/api/device/:deviceId", async (request, reply) => {
    const device = requireDevice(devices, request.params.deviceId);
    devices.remove(device);
    device.session?.link.close(reason.administrativeAction, "the device was deleted");
    return reply.status(200).send();
  });
}

/** ThingsBoard's Device object: with an `id` it changes that device, whose credentials stay; without one it makes a device. */
export function saveDevice(body: JsonObject, credentials: Credentials, context: RestContext): Device {
  const { devices } = context;
  const id = readEntityId(body, "id");
  const packages = otaTypes.map((type) => [type, readPackage(body, type, context)] as const);
  const info = readAdditionalInfo(body);
  const device = id == null ? createDevice(body, credentials, context) : requireDevice(devices, id);
  if (body.has("name") && body.get("name") !== device.name) throw new RestError(400, "a device keeps its name");
  if (info !== undefined) device.additionalInfo = info ?? new Map();
  for (const [type, otaPackage] of packages) assignPackage(device, type, otaPackage, context);
  return device;
}

function createDevice(body: JsonObject, credentials: Credentials, { devices }: RestContext): Device {
  const name = readText(body, "name") ?? "";
  const type = readText(body, "type") ?? "default";
  if (type === "") throw new RestError(400, '"type" must be a text');
  if (devices.byName(name) !== undefined) throw new RestError(400, "Device with such name already exists!");
  return devices.add({ name, type, credentials });
}

export function requireDeviceNamed(devices: DeviceRegistry, name: string): Device {
  const device = devices.byName(name);
  if (device === undefined) throw new RestError(404, `there is no device named ${name}`);
  return device;
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
