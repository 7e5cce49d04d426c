// REST for device profiles: their provisioning and their transport (ThingsBoard's device-profile-controller).

import type { FastifyInstance } from "fastify";
import { type JsonObject, printString } from "./json.ts";
import { type DeviceProfile, type ProfileOptions, provisionTypes, transportTypes } from "./profiles.ts";
import { readText, refuseId, requireObject, type RestContext, RestError, sendJson } from "./restCommon.ts";

interface ProfileRoute {
  Params: { profileId: string };
}

export function addProfileRoutes(app: FastifyInstance, { profiles }: RestContext): void {
  const requireProfile = (id: string): DeviceProfile => profiles.byId(id) ?? refuseId("device profile", id);
  app.get("/api/deviceProfiles", async (_request, reply) => {
    const all = [...profiles].map(printProfile);
    return sendJson(reply, `{"data":[${all.join(",")}],"totalPages":1,"totalElements":${all.length},"hasNext":false}`);
  });
  app.get<ProfileRoute>("/api/deviceProfile/:profileId", async ({ params }, reply) =>
    sendJson(reply, printProfile(requireProfile(params.profileId))),
  );
  app.post("/api/deviceProfile", async ({ body }, reply) => {
    const object = requireObject(body);
    const id = object.get("id") == null ? undefined : requireProfile(readText(requireObject(object.get("id")), "id") ?? "").id;
    return sendJson(reply, printProfile(profiles.save(readProfile(object), id)));
  });
}

/** ThingsBoard's DeviceProfile: the key stands on top, the secret in the configuration of the strategy. */
function readProfile(body: JsonObject): ProfileOptions {
  const data = optionalObject(body, "profileData");
  const configuration = optionalObject(data, "provisionConfiguration");
  const provisionType = readText(configuration, "type") ?? readText(body, "provisionType");
  const provisionKey = readText(body, "provisionDeviceKey");
  const provisionSecret = readText(configuration, "provisionDeviceSecret");
  const certificatePattern = readText(configuration, "certificateRegExPattern");
  const transportType = readText(body, "transportType");
  return {
    name: readText(body, "name") ?? "",
    ...(provisionType !== undefined && { provisionType: oneOf(provisionTypes, provisionType, "type of the strategy") }),
    ...(provisionKey !== undefined && { provisionKey }),
    ...(provisionSecret !== undefined && { provisionSecret }),
    ...(certificatePattern !== undefined && { certificatePattern }),
    isNewAllowed: configuration.get("allowCreateNewDevicesByX509Certificate") === true,
    ...(transportType !== undefined && { transportType: oneOf(transportTypes, transportType, "transportType") }),
  };
}

function optionalObject(body: JsonObject, name: string): JsonObject {
  const value = body.get(name);
  return value == null ? new Map() : requireObject(value);
}

function oneOf<Name extends string>(names: readonly Name[], name: string, what: string): Name {
  const found = names.find((each) => each === name);
  if (found === undefined) throw new RestError(400, `the ${what} must be one of ${names.join(", ")}`);
  return found;
}

function printProfile({ id, createdAtMs, name, provisionType, provisionKey, provisionSecret, certificatePattern, isNewAllowed, transportType }: DeviceProfile): string {
  const chain = provisionType !== "X509_CERTIFICATE_CHAIN" ? ""
    : `,"certificateRegExPattern":${printString(certificatePattern)},"allowCreateNewDevicesByX509Certificate":${isNewAllowed}`;
  const configuration = `{"type":"${provisionType}","provisionDeviceSecret":${printString(provisionSecret)}${chain}}`;
  return (
    `{"id":{"entityType":"DEVICE_PROFILE","id":"${id}"},"createdTime":${createdAtMs},"name":${printString(name)},` +
    `"type":"DEFAULT","transportType":"${transportType}","provisionType":"${provisionType}",` +
    `"provisionDeviceKey":${printString(provisionKey)},"profileData":{"configuration":{"type":"DEFAULT"},` +
    `"transportConfiguration":{"type":"DEFAULT"},"provisionConfiguration":${configuration}},"default":${name === "default"}}`
  );
}
