// The server's one home of topic strings (spec section 0) with the exact-string rules for filters (spec 2.11, 11.25).

import { otaPrefix, type OtaType } from "./ota.ts";

/** A set of topics that belong together; names ending in "Prefix" take a request id. */
export interface TopicFamily {
  readonly name: "v1" | "v2" | "v2 JSON" | "v2 Protobuf";
  readonly telemetry: string;
  readonly attributes: string;
  readonly attributesRequestPrefix: string;
  readonly attributesResponsePrefix: string;
  readonly rpcRequestPrefix: string;
  readonly rpcResponsePrefix: string;
}

const v1: TopicFamily = {
  name: "v1",
  telemetry: "v1/devices/me/telemetry",
  attributes: "v1/devices/me/attributes",
  attributesRequestPrefix: "v1/devices/me/attributes/request/",
  attributesResponsePrefix: "v1/devices/me/attributes/response/",
  rpcRequestPrefix: "v1/devices/me/rpc/request/",
  rpcResponsePrefix: "v1/devices/me/rpc/response/",
};

function shortFamily(name: TopicFamily["name"], payload: string): TopicFamily {
  const end = payload === "" ? "" : `/${payload}`;
  return {
    name,
    telemetry: `v2/t${end}`,
    attributes: `v2/a${end}`,
    attributesRequestPrefix: `v2/a/req${end}/`,
    attributesResponsePrefix: `v2/a/res${end}/`,
    rpcRequestPrefix: `v2/r/req${end}/`,
    rpcResponsePrefix: `v2/r/res${end}/`,
  };
}

const v2 = shortFamily("v2", "");
const v2Json = shortFamily("v2 JSON", "j");
const v2Protobuf = shortFamily("v2 Protobuf", "p");

const families: readonly TopicFamily[] = [v1, v2Json, v2Protobuf, v2];

/** Whatever begins with this is for gateways, `v1/gatewayX` too (R6). */
const gatewayPrefix = "v1/gateway";

export const gatewayTopics = {
  connect: "v1/gateway/connect",
  disconnect: "v1/gateway/disconnect",
  telemetry: "v1/gateway/telemetry",
  attributes: "v1/gateway/attributes",
  attributesRequest: "v1/gateway/attributes/request",
  attributesResponse: "v1/gateway/attributes/response",
  rpc: "v1/gateway/rpc",
  claim: "v1/gateway/claim",
} as const;

/** With a leading slash, unlike all others. */
export const provisionTopics = { request: "/provision/request", response: "/provision/response" } as const;

/** Topics that a device profile may name; `+` is one level, `/#` the rest or nothing, `#` alone everything (spec 2.12). */
export interface ProfileTopics {
  readonly telemetry: string;
  readonly attributes: string;
  /** What SUBSCRIBE takes beside the usual filters. */
  readonly attributesSubscribe: string;
}

export const usualTopics: ProfileTopics = { telemetry: v1.telemetry, attributes: v1.attributes, attributesSubscribe: v1.attributes };

function matchesProfileTopic(filter: string, topic: string): boolean {
  if (filter === "#" || !/[+#]/.test(filter)) return filter === "#" || filter === topic;
  const pattern = filter.replaceAll(/[\\^$.*?()[\]{}|]/g, "\\$&").replaceAll("+", "[^/]+").replaceAll("/#", "(?:$|/.*)");
  return new RegExp(`^${pattern}$`, "s").test(topic);
}

export type UplinkRoute =
  | { readonly kind: "telemetry" | "attributes"; readonly family: TopicFamily }
  | { readonly kind: "attributesRequest" | "rpcReply" | "clientRpc"; readonly family: TopicFamily; readonly requestId: string }
  | { readonly kind: "otaChunk"; readonly type: OtaType; readonly requestId: string; readonly chunk: string }
  | { readonly kind: "claim" }
  | { readonly kind: "gateway" }
  | { readonly kind: "unknown" };

/** What a topic published by a device means, in the server's matching order (spec 2.12). */
export function routeUplink(topic: string, topics: ProfileTopics): UplinkRoute {
  if (topic.startsWith(gatewayPrefix)) return { kind: "gateway" };
  if (matchesProfileTopic(topics.attributes, topic)) return { kind: "attributes", family: v1 };
  if (matchesProfileTopic(topics.telemetry, topic)) return { kind: "telemetry", family: v1 };
  // `v2/a/req/j/5` is never request "j/5" of the short family (spec 0).
  const short = (): UplinkRoute | undefined => routeFamily(topic, v2Json) ?? routeFamily(topic, v2Protobuf) ?? routeFamily(topic, v2);
  const claim = (): UplinkRoute | undefined => (topic === "v1/devices/me/claim" ? { kind: "claim" } : undefined);
  return routeRequest(topic, v1) ?? claim() ?? routeOta(topic) ?? short() ?? { kind: "unknown" };
}

function routeFamily(topic: string, family: TopicFamily): UplinkRoute | undefined {
  if (topic === family.attributes) return { kind: "attributes", family };
  if (topic === family.telemetry) return { kind: "telemetry", family };
  return routeRequest(topic, family);
}

function routeRequest(topic: string, family: TopicFamily): UplinkRoute | undefined {
  for (const [kind, prefix] of [
    ["attributesRequest", family.attributesRequestPrefix],
    ["rpcReply", family.rpcResponsePrefix],
    ["clientRpc", family.rpcRequestPrefix],
  ] as const) {
    if (topic.startsWith(prefix)) return { kind, family, requestId: topic.slice(prefix.length) };
  }
  return undefined;
}

/** The pattern is searched for in the topic, so text around it is tolerated (spec 2.10). */
function routeOta(topic: string): UplinkRoute | undefined {
  const [, prefix, requestId, chunk] = /v2\/(fw|sw)\/request\/(\d+)\/chunk\/(\d+)/.exec(topic) ?? [];
  if (requestId === undefined || chunk === undefined) return undefined;
  return { kind: "otaChunk", type: prefix === "fw" ? "FIRMWARE" : "SOFTWARE", requestId, chunk };
}

export function otaChunkTopic(type: OtaType, requestId: string, chunk: number): string {
  return `v2/${otaPrefix[type]}/response/${requestId}/chunk/${chunk}`;
}

/** For software too (spec 2.10). */
export const otaErrorTopic = "v2/fw/error";

export type FilterMeaning =
  | { readonly kind: "attributes" | "rpc"; readonly family: TopicFamily }
  | { readonly kind: "responses" };

/** Every filter SUBSCRIBE accepts, compared as text and never as a wildcard (spec 2.11). */
const filters = new Map<string, FilterMeaning>();
for (const family of families) {
  filters.set(family.attributes, { kind: "attributes", family });
  filters.set(`${family.rpcRequestPrefix}+`, { kind: "rpc", family });
  filters.set(`${family.rpcResponsePrefix}+`, { kind: "responses" });
  filters.set(`${family.attributesResponsePrefix}+`, { kind: "responses" });
}
for (const filter of [
  "v2/fw/response/+/chunk/+",
  otaErrorTopic,
  "v2/sw/response/+/chunk/+",
  "v2/sw/error",
  gatewayTopics.attributes,
  gatewayTopics.rpc,
  gatewayTopics.attributesResponse,
]) {
  filters.set(filter, { kind: "responses" });
}

export function filterMeaning(filter: string): FilterMeaning | undefined {
  return filters.get(filter);
}

/** Of a filter in a session whose device profile has topics of its own; they come first. */
export function sessionFilterMeaning(filter: string, { attributesSubscribe }: ProfileTopics): FilterMeaning | undefined {
  return matchesProfileTopic(attributesSubscribe, filter) ? { kind: "attributes", family: v1 } : filterMeaning(filter);
}

/** Whether the server itself names the filter; those of a device profile may be any text. */
export function isUsualFilter(filter: string): boolean {
  return filters.has(filter) || filter === provisionTopics.response;
}

/** MQTT matching of one `+`-only filter, for choosing the QoS of a downlink. */
export function matchesFilter(filter: string, topic: string): boolean {
  const filterLevels = filter.split("/");
  const levels = topic.split("/");
  return filterLevels.length === levels.length && filterLevels.every((level, i) => level === "+" || level === levels[i]);
}
