// What each publish of a gateway means for its children, and how it ends (spec 3, 3.1 to 3.8, 11.7 to 11.10, 11.28).

import { printValues, storeClientAttributes } from "./attributes.ts";
import { readClaim } from "./claims.ts";
import type { ChildRefusal, ChildSession, Gateway } from "./gateway.ts";
import { readGatewayMetadata } from "./gatewayMetrics.ts";
import {
  GatewayShapeError,
  isArray,
  isObject,
  readChildAttributesRequest,
  readChildRpcReply,
  readDeviceName,
  readEntries,
  readGatewayObject,
  readType,
} from "./gatewayPayloads.ts";
import { type Json, type JsonObject, printString } from "./json.ts";
import { accepted, type Outcome, UncheckedError, UnconvertibleError } from "./outcome.ts";
import { reason } from "./reasons.ts";
import { countDataPoints, readMembers, readTelemetry, storeTelemetry } from "./telemetry.ts";
import { gatewayTopics } from "./topics.ts";
import type { UplinkContext } from "./uplink.ts";
import { NumberTooLargeError, printValue } from "./values.ts";

export function receiveGatewayPublish(gateway: Gateway, topic: string, payload: Buffer, qos: number, context: UplinkContext): Outcome {
  // Whatever a gateway sends keeps the gateway itself alive.
  gateway.session.touch();
  try {
    switch (topic) {
      case gatewayTopics.connect:
        return receiveConnect(gateway, payload);
      case gatewayTopics.disconnect:
        return receiveDisconnect(gateway, payload);
      case gatewayTopics.telemetry:
        return receiveForEach(gateway, readEntries(payload, isArray), qos, context, receiveTelemetry);
      case gatewayTopics.attributes:
        return receiveForEach(gateway, readEntries(payload, isObject), qos, context, receiveAttributes);
      case gatewayTopics.claim:
        return receiveForEach(gateway, readEntries(payload, isObject), qos, context, receiveClaim);
      case gatewayTopics.attributesRequest:
        return receiveAttributesRequest(gateway, payload, qos, context);
      case gatewayTopics.rpc:
        return receiveRpcReply(gateway, payload, qos, context);
      default:
        return { kind: "unknownTopic" };
    }
  } catch (error) {
    if (error instanceof GatewayShapeError) return { kind: "gatewayShape", reason: error.message };
    throw error;
  }
}

function receiveConnect(gateway: Gateway, payload: Buffer): Outcome {
  const message = readGatewayObject(payload);
  const child = gateway.register(readDeviceName(message), readType(message));
  return typeof child === "string" ? refused(child) : accepted;
}

/** A device that is not there is no error. */
function receiveDisconnect(gateway: Gateway, payload: Buffer): Outcome {
  const child = gateway.child(readDeviceName(readGatewayObject(payload)));
  if (child !== undefined) gateway.end(child, "the gateway said so");
  return accepted;
}

function refused(refusal: ChildRefusal): Outcome {
  if (refusal === "rateLimit") return { kind: "childUnregistered" };
  return { kind: "childRefused", reasonCode: refusal === "deviceLimit" ? reason.quotaExceeded : reason.unspecifiedError };
}

/** How one entry ended; "unanswered" is an empty array, whose acknowledgement never comes. */
type EntryResult = Outcome | "stored" | "unanswered";
type ReceiveEntry<Kind> = (child: ChildSession, value: Kind, context: UplinkContext) => EntryResult;

/** One PUBACK for all entries; the first that failed decides it, and the others are stored all the same (spec 3.1). */
function receiveForEach<Kind extends Json>(
  gateway: Gateway,
  entries: readonly [name: string, value: Kind][],
  qos: number,
  context: UplinkContext,
  receiveEntry: ReceiveEntry<Kind>,
): Outcome {
  const results: EntryResult[] = [];
  for (const [name, value] of entries) {
    const child = gateway.register(name);
    // Over the limit for a child that is not known yet: what follows is not looked at (spec 11.7).
    if (child === "rateLimit") return refused(child);
    results.push(typeof child === "string" ? refused(child) : converted(() => receiveEntry(child, value, context)));
  }
  const stored = entries.filter((_entry, index) => results[index] === "stored");
  const isAggregate = context.serverVersion.aggregatesAcknowledgements;
  // At QoS 0 an MQTT 5 gateway gets notices that mean nothing, for all devices that were stored but the very last (spec 11.9).
  const spurious = stored.length < entries.length ? stored : stored.slice(0, -1);
  if (qos === 0 && isAggregate) for (const [name] of spurious) gateway.notify(name, reason.malformedPacket);
  const failure = results.find((result) => typeof result === "object");
  if (failure !== undefined) return failure;
  if (!isAggregate) return stored.length === 0 ? { kind: "unanswered" } : { ...accepted, pubackCount: stored.length };
  return stored.length < entries.length ? { kind: "unanswered" } : accepted;
}

/** In a child's payload unchecked exceptions count as bad payloads (spec 11.13). */
function converted(receive: () => EntryResult): EntryResult {
  try {
    return receive();
  } catch (error) {
    const isBad = error instanceof UnconvertibleError || error instanceof UncheckedError || error instanceof NumberTooLargeError;
    if (isBad) return { kind: "childUnconvertible", reason: error.message };
    throw error;
  }
}

function limited(child: ChildSession, { serverVersion }: UplinkContext): Outcome {
  return { kind: "childLimited", name: child.device.name, isAcknowledged: serverVersion.aggregatesAcknowledgements };
}

/** Requests and replies have the same PUBACK as data; without one, at QoS 0, the connection closes in every version (spec 11.10). */
function limitedRequest(child: ChildSession, qos: number, context: UplinkContext): Outcome {
  return qos > 0 ? limited(child, context) : { kind: "limited" };
}

function receiveTelemetry(child: ChildSession, items: Json[], context: UplinkContext): EntryResult {
  const { device, gateway } = child;
  const nowMs = context.now();
  const entries = readTelemetry(items.map(withoutMetadata), nowMs);
  const metadata = items.flatMap((item) => (isObject(item) && item.has("metadata") ? [readGatewayMetadata(item.get("metadata")!)] : []));
  for (const each of metadata) gateway.metrics.add(each, nowMs);
  if (!gateway.spend(countDataPoints(entries))) return limited(child, context);
  storeTelemetry(device, entries, context.events);
  return entries.length === 0 ? "unanswered" : "stored";
}

/** Metadata is about the message and is not stored, with a time or without (spec 3.6). */
function withoutMetadata(item: Json): Json {
  if (!isObject(item) || !item.has("metadata")) return item;
  return new Map([...item].filter(([key]) => key !== "metadata"));
}

function receiveAttributes(child: ChildSession, object: JsonObject, context: UplinkContext): EntryResult {
  const members = readMembers(object);
  if (!child.gateway.spend(members.length)) return limited(child, context);
  storeClientAttributes(child.device, members, context);
  return "stored";
}

/** `value` for one key, `values` for several; no keys at all mean all of both scopes (spec 3, 11.21). */
function receiveAttributesRequest(gateway: Gateway, payload: Buffer, qos: number, context: UplinkContext): Outcome {
  const { events, faults } = context;
  const { id, name, isClientScope, keys } = readChildAttributesRequest(payload);
  const child = gateway.register(name);
  if (child === "rateLimit") return refused(child);
  if (typeof child === "string") return { kind: "childRefused", reasonCode: reason.implementationSpecificError };
  if (!gateway.spend()) return limitedRequest(child, qos, context);
  const { device } = child;
  events.emit("attributesRequested", { device, requestId: id });
  if (faults.take("dropResponse")) return accepted;
  const { CLIENT_SCOPE, SHARED_SCOPE } = device.attributes;
  const found = new Map(
    keys.size === 0
      ? [...CLIENT_SCOPE, ...SHARED_SCOPE]
      : [...(isClientScope ? CLIENT_SCOPE : SHARED_SCOPE)].filter(([key]) => keys.has(key)),
  );
  const values = [...found].map(([key, { value }]) => [key, value] as const);
  const [first] = values;
  const answer = first === undefined ? "" : keys.size === 1 ? `,"value":${printValue(first[1])}` : `,"values":${printValues(values)}`;
  gateway.session.send({ topic: gatewayTopics.attributesResponse, payload: `{"id":${id},"device":${printString(name)}${answer}}` });
  return accepted;
}

function receiveRpcReply(gateway: Gateway, payload: Buffer, qos: number, context: UplinkContext): Outcome {
  const { id, name, data } = readChildRpcReply(payload);
  const child = gateway.register(name);
  if (typeof child === "string") return refused(child);
  if (!gateway.spend()) return limitedRequest(child, qos, context);
  child.device.rpcs.reply(id, data);
  return accepted;
}

function receiveClaim(child: ChildSession, object: JsonObject, context: UplinkContext): EntryResult {
  const request = readClaim(object);
  if (!child.gateway.spend()) return limited(child, context);
  context.claims.register(child.device, request);
  return "stored";
}
