// REST for the credentials of devices: reading and changing them, and creating a device with them (ThingsBoard's device-controller).

import type { FastifyInstance } from "fastify";
import { accessToken, type Credentials, credentialsId, mqttBasic, x509Certificate } from "./credentials.ts";
import type { Device } from "./device.ts";
import { JsonError, type JsonObject, parseJson, printString } from "./json.ts";
import { printMqttBasic } from "./provisioning.ts";
import { reason } from "./reasons.ts";
import { readText, requireDevice, requireObject, type RestContext, RestError, sendJson } from "./restCommon.ts";
import { printDevice, saveDevice } from "./restDevices.ts";

export function addCredentialsRoutes(app: FastifyInstance, context: RestContext): void {
  const { devices } = context;
  app.get<{ Params: { deviceId: string } }>("/api/device/:deviceId/credentials", async ({ params }, reply) =>
    sendJson(reply, printCredentials(requireDevice(devices, params.deviceId))),
  );
  app.post("/api/device/credentials", async ({ body }, reply) => {
    const object = requireObject(body);
    const owner = requireObject(object.get("deviceId"));
    const device = requireDevice(devices, readText(owner, "id") ?? "");
    devices.changeCredentials(device, readCredentials(object));
    device.session?.link.close(reason.administrativeAction, "the credentials were changed");
    return sendJson(reply, printCredentials(device));
  });
  app.post("/api/device-with-credentials", async ({ body }, reply) => {
    const object = requireObject(body);
    const credentials = readCredentials(requireObject(object.get("credentials")));
    return sendJson(reply, printDevice(saveDevice(requireObject(object.get("device")), credentials, context)));
  });
}

/** ThingsBoard's DeviceCredentials: a token is the id itself, everything else is read from the value. */
function readCredentials(body: JsonObject): Credentials {
  const type = readText(body, "credentialsType");
  const value = readText(body, "credentialsValue") ?? "";
  switch (type) {
    case "ACCESS_TOKEN":
      return accessToken(readText(body, "credentialsId") ?? "");
    case "MQTT_BASIC":
      return readMqttBasic(value);
    case "X509_CERTIFICATE":
      return x509Certificate(value);
    default:
      throw new RestError(400, '"credentialsType" must be ACCESS_TOKEN, MQTT_BASIC or X509_CERTIFICATE');
  }
}

function readMqttBasic(value: string): Credentials {
  try {
    const object = requireObject(parseJson(value));
    const text = (name: string): string => readText(object, name) ?? "";
    return mqttBasic({ clientId: text("clientId"), userName: text("userName"), password: text("password") });
  } catch (error) {
    throw error instanceof JsonError ? new RestError(400, '"credentialsValue" must be the text of a JSON object') : error;
  }
}

function printCredentials({ id, createdAtMs, credentials }: Device): string {
  const value = credentialsValue(credentials);
  // Credentials are one to a device here, so they share its id.
  return (
    `{"id":{"id":"${id}"},"createdTime":${createdAtMs},"deviceId":{"entityType":"DEVICE","id":"${id}"},` +
    `"credentialsType":"${credentials.type}","credentialsId":${printString(credentialsId(credentials))},` +
    `"credentialsValue":${value === null ? null : printString(value)}}`
  );
}

/** As ThingsBoard stores it. */
function credentialsValue(credentials: Credentials): string | null {
  if (credentials.type === "ACCESS_TOKEN") return null;
  if (credentials.type === "X509_CERTIFICATE") return credentials.certificate;
  return printMqttBasic(credentials);
}
