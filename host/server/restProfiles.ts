// REST for device profiles: their provisioning and their transport (ThingsBoard's device-profile-controller).

import type { FastifyInstance } from "fastify";
import { type JsonObject, printString } from "./json.ts";
import { type DeviceProfile, type ProfileOptions, provisionTypes, transportTypes } from "./profiles.ts";
import { type PageQuery, printPage, readText, refuseId, requireObject, type RestContext, RestError, sendJson } from "./restCommon.ts";
import type { ProfileTopics } from "./topics.ts";

interface ProfileRoute {
  Params: { profileId: string };
}

export function addProfileRoutes(app: FastifyInstance, { profiles }: RestContext): void {
  const requireProfile = (id: string): DeviceProfile => profiles.byId(id) ?? refuseId("device profile", id);
  app.get<{ Querystring: PageQuery }>("/api/deviceProfiles", async ({ query }, reply) =>
    sendJson(reply, printPage([...profiles].map(printProfile), query)),
  );
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
  const transport = optionalObject(data, "transportConfiguration");
  const topics = Object.entries(topicMembers).flatMap(([name, member]) => {
    const topic = readText(transport, member);
    return topic === undefined ? [] : [[name, topic]];
  });
  return {
    name: readText(body, "name") ?? "",
    ...(provisionType !== undefined && { provisionType: oneOf(provisionTypes, provisionType, "type of the strategy") }),
    ...(provisionKey !== undefined && { provisionKey }),
    ...(provisionSecret !== undefined && { provisionSecret }),
    ...(certificatePattern !== undefined && { certificatePattern }),
    isNewAllowed: configuration.get("allowCreateNewDevicesByX509Certificate") === true,
    ...(transportType !== undefined && { transportType: oneOf(transportTypes, transportType, "transportType") }),
    topics: Object.fromEntries(topics) as Partial<ProfileTopics>,
    acknowledgesBadPayload: transport.get("sendAckOnValidationException") === true,
  };
}

const topicMembers: Record<keyof ProfileTopics, string> = {
  telemetry: "deviceTelemetryTopic",
  attributes: "deviceAttributesTopic",
  attributesSubscribe: "deviceAttributesSubscribeTopic",
};

function optionalObject(body: JsonObject, name: string): JsonObject {
  const value = body.get(name);
  return value == null ? new Map() : requireObject(value);
}

function oneOf<Name extends string>(names: readonly Name[], name: string, what: string): Name {
  const found = names.find((each) => each === name);
  if (found === undefined) throw new RestError(400, `the ${what} must be one of ${names.join(", ")}`);
  return found;
}

function printTransport({ transportType, topics, acknowledgesBadPayload }: DeviceProfile): string {
  if (transportType !== "MQTT") return '{"type":"DEFAULT"}';
  const printed = Object.entries(topicMembers).map(([name, member]) => `"${member}":${printString(topics[name as keyof ProfileTopics])}`);
  return `{"type":"MQTT",${printed.join(",")},"sendAckOnValidationException":${acknowledgesBadPayload}}`;
}

function printProfile(profile: DeviceProfile): string {
  const { id, createdAtMs, name, provisionType, provisionKey, provisionSecret, certificatePattern, isNewAllowed, transportType } = profile;
  const chain = provisionType !== "X509_CERTIFICATE_CHAIN" ? ""
    : `,"certificateRegExPattern":${printString(certificatePattern)},"allowCreateNewDevicesByX509Certificate":${isNewAllowed}`;
  const configuration = `{"type":"${provisionType}","provisionDeviceSecret":${printString(provisionSecret)}${chain}}`;
  return (
    `{"id":{"entityType":"DEVICE_PROFILE","id":"${id}"},"createdTime":${createdAtMs},"name":${printString(name)},` +
    `"type":"DEFAULT","transportType":"${transportType}","provisionType":"${provisionType}",` +
    `"provisionDeviceKey":${printString(provisionKey)},"profileData":{"configuration":{"type":"DEFAULT"},` +
    `"transportConfiguration":${printTransport(profile)},"provisionConfiguration":${configuration}},"default":${name === "default"}}`
  );
}
