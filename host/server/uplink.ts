// Gives each PUBLISH of a device to the part of the device model its topic names, and says how it ended (spec 2.0).

import { printAttributeResponse, readAttributeRequest, storeClientAttributes } from "./attributes.ts";
import { type Claims, parseClaim } from "./claims.ts";
import { type ClientRpcRequest, printSessionLimits, readClientRpc } from "./clientRpc.ts";
import type { DeviceName, ServerEvents } from "./events.ts";
import type { Faults } from "./faults.ts";
import { receiveGatewayPublish } from "./gatewayUplink.ts";
import { type Json, JsonError, parseLenientJson } from "./json.ts";
import { type OtaCache, readChunkRequest } from "./otaChunks.ts";
import { accepted, type Outcome, readRequestId, UncheckedError, UnconvertibleError } from "./outcome.ts";
import type { RateLimiter } from "./rateLimits.ts";
import type { ServerVersion } from "./serverVersion.ts";
import type { Session } from "./session.ts";
import { countDataPoints, readMembers, readTelemetry, storeTelemetry } from "./telemetry.ts";
import { otaChunkTopic, otaErrorTopic, routeUplink, type UplinkRoute } from "./topics.ts";
import { NumberTooLargeError } from "./values.ts";

/** Stands in for a rule chain: the reply's JSON text, or undefined to let the device meet its timeout. */
export type ClientRpcAnswer = (
  device: DeviceName,
  method: string,
  params: string,
) => string | undefined | Promise<string | undefined>;

export interface UplinkContext {
  readonly now: () => number;
  readonly events: ServerEvents;
  readonly faults: Faults;
  readonly otaCache: OtaCache;
  readonly limiter: RateLimiter;
  readonly claims: Claims;
  readonly serverVersion: ServerVersion;
  readonly answerClientRpc?: ClientRpcAnswer | undefined;
}

export function receivePublish(session: Session, topic: string, payload: Buffer, qos: number, context: UplinkContext): Outcome {
  try {
    return receive(session, topic, payload, qos, context);
  } catch (error) {
    if (error instanceof UncheckedError) return { kind: "exception", reason: error.message };
    if (error instanceof NumberTooLargeError) return { kind: "unconvertible", reason: "a number is too large" };
    if (error instanceof UnconvertibleError || error instanceof JsonError) {
      return { kind: "unconvertible", reason: error.message };
    }
    throw error;
  }
}

function receive(session: Session, topic: string, payload: Buffer, qos: number, context: UplinkContext): Outcome {
  const route = routeUplink(topic, session.topics);
  if (route.kind === "gateway") {
    // R6: nothing ever answers a device that is no gateway.
    if (session.gateway === null) return { kind: "unanswered" };
    return receiveGatewayPublish(session.gateway, topic, payload, qos, context);
  }
  if (context.faults.take("exceedRate")) return limited;
  if (route.kind === "unknown") return { kind: "unknownTopic" };
  if (route.kind === "otaChunk") return receiveChunkRequest(session, route, payload, context);
  if (route.kind === "claim") return receiveClaim(session, payload, context);
  if (route.family.name === "v2 Protobuf") throw new UnconvertibleError("this server reads JSON only");
  switch (route.kind) {
    case "rpcReply":
      return receiveRpcReply(session, route.requestId, payload);
    case "telemetry":
      return receiveTelemetry(session, readPayload(payload), context);
    case "attributes":
      return receiveAttributes(session, readPayload(payload), context);
    case "attributesRequest":
      return receiveAttributesRequest(session, route, readPayload(payload), context);
    case "clientRpc":
      return receiveClientRpc(session, route, payload, context);
  }
}

function readPayload(payload: Buffer): Json {
  return parseLenientJson(payload.toString("utf8"));
}

const limited: Outcome = { kind: "limited" };

function receiveTelemetry(session: Session, json: Json, { now, events }: UplinkContext): Outcome {
  const { device } = session;
  const entries = readTelemetry(json, now());
  if (!session.spend(countDataPoints(entries))) return limited;
  // The callback count of `[]` is zero, so its PUBACK never comes (spec 2.2).
  if (entries.length === 0) return { kind: "unanswered" };
  storeTelemetry(device, entries, events);
  return accepted;
}

function receiveAttributes(session: Session, json: Json, context: UplinkContext): Outcome {
  if (!(json instanceof Map)) throw new UnconvertibleError("attributes must be an object");
  const members = readMembers(json);
  if (!session.spend(members.length)) return limited;
  storeClientAttributes(session.device, members, context);
  return accepted;
}

type RequestRoute = Extract<UplinkRoute, { requestId: string; family: object }>;

function receiveAttributesRequest(session: Session, route: RequestRoute, json: Json, context: UplinkContext): Outcome {
  const requestId = readRequestId(route.requestId);
  if (requestId === undefined) throw new UnconvertibleError("the request id is not a number");
  const request = readAttributeRequest(json);
  if (!session.spend()) return limited;
  context.events.emit("attributesRequested", { device: session.device, requestId });
  // A negative id is taken and its answer silently dropped (spec 0); so is one after a database failure (spec 2.4).
  if (requestId < 0 || context.faults.take("dropResponse")) return accepted;
  session.send({
    topic: `${route.family.attributesResponsePrefix}${requestId}`,
    payload: printAttributeResponse(session.device, request),
  });
  return accepted;
}

/** The body is taken verbatim; even one that is not JSON is acknowledged (spec 2.6). */
function receiveRpcReply(session: Session, requestIdText: string, payload: Buffer): Outcome {
  const requestId = readRequestId(requestIdText);
  if (requestId === undefined) throw new UnconvertibleError("the request id is not a number");
  if (!session.spend()) return limited;
  session.device.rpcs.reply(requestId, payload.toString("utf8"));
  return accepted;
}

/** Whether the server takes the claim is no part of the answer (spec 2.8). */
function receiveClaim(session: Session, payload: Buffer, { claims }: UplinkContext): Outcome {
  const request = parseClaim(payload);
  if (!session.spend()) return limited;
  claims.register(session.device, request);
  return accepted;
}

/** The PUBACK comes first, then the chunk; a refusal has no PUBACK. None of it holds off the idle close (spec 2.10, 11.2). */
function receiveChunkRequest(
  session: Session,
  { type, requestId, chunk }: Extract<UplinkRoute, { kind: "otaChunk" }>,
  payload: Buffer,
  { otaCache, faults, events }: UplinkContext,
): Outcome {
  const request = readChunkRequest(type, requestId, chunk, payload);
  const { otaChunks, device } = session;
  if (otaChunks.isFull(request)) return limited;
  const size = otaChunks.sizeOf(request);
  const asksTheCore = typeof size === "number" && otaChunks.isFirst(request);
  if (asksTheCore && !session.spend()) return limited;
  const answer = typeof size === "string" ? size : otaChunks.read(request, size, device.assignedPackages[type], otaCache);
  if (typeof answer === "string") return { kind: "refusedWithMessage", topic: otaErrorTopic, payload: answer };
  if (answer === null) return { kind: "accepted", keepsAlive: false };
  const topic = otaChunkTopic(type, requestId, request.chunk);
  const send = (): void => {
    const isLost = faults.takeChunkLoss();
    events.emit("otaChunk", { device, type, requestId, chunk: request.chunk, bytes: answer.length, isLost });
    if (isLost) return;
    const isCorrupt = answer.length > 0 && faults.take("corruptChunk");
    session.send({ topic, payload: isCorrupt ? Buffer.from(answer).fill(~answer[0]!, 0, 1) : answer });
  };
  return { kind: "accepted", keepsAlive: false, afterAcknowledge: send };
}

function receiveClientRpc(session: Session, route: RequestRoute, payload: Buffer, context: UplinkContext): Outcome {
  const requestId = readRequestId(route.requestId);
  if (requestId === undefined) throw new UncheckedError("the request id is not a number");
  const { method, params } = readClientRpc(readPayload(payload));
  const { device, clientRpcs } = session;
  session.clientRpcResponsePrefix = route.family.rpcResponsePrefix;
  context.events.emit("clientRpc", { device, requestId, method, params });
  const error = context.faults.takeError();
  const asksForLimits = method === "getSessionLimits" && route.family.name === "v1" && context.serverVersion.knowsSessionLimits;
  if (error === null && asksForLimits) {
    const limits = printSessionLimits(context.limiter, session.isGateway);
    session.send({ topic: `${route.family.rpcResponsePrefix}${requestId}`, payload: limits });
    return { kind: "accepted", keepsAlive: false };
  }
  if (!session.spend() || !clientRpcs.start(requestId)) return limited;
  if (error !== null) {
    clientRpcs.answer(requestId, error);
  } else {
    void answerLater(session, requestId, { method, params }, context);
  }
  return accepted;
}

/** A function that fails answers nothing, as a failing rule chain does; the failure is shown to observers. */
async function answerLater(session: Session, requestId: number, request: ClientRpcRequest, context: UplinkContext): Promise<void> {
  const { device, clientRpcs } = session;
  try {
    const answer = await context.answerClientRpc?.(device, request.method, request.params);
    if (answer !== undefined) clientRpcs.answer(requestId, answer);
  } catch (error) {
    const reason = `answerClientRpc failed: ${(error as Error).message}`;
    context.events.emit("refused", { device, what: "publish", detail: request.method, reason });
  }
}
