// What an app imports: verbs, messages, events, JSON, texts. An app exports `event_buffer` and `event_capacity` from here beside its own two functions.

export { AppPublish, EventFlag, EventKind, Feature, JsonType, LogLevel, OtaKind, Release, Stat, State, Status } from "../abi";
export { eventFlags, eventId, eventName, eventOffset, eventPayload, eventReason, eventTopic, eventTotal, eventValue } from "./event";
export { findJson, foundJson, readBoolean, readDecimal, unescape } from "./json";
export { event_buffer, event_capacity, EVENT_CAPACITY, MESSAGE_CAPACITY } from "./memory";
export {
  addBoolean, addDecimal, addInteger, addJson, addNull, addText, beginArray, beginDocument, beginList, beginMessage, beginObject, claim, claimChildren,
  connectChild, disconnectChild, endLevel, log, messageBytes, publish, requestAttributes, requestChildAttributes, requestRpc, sendAttributes,
  sendChildAttributes, sendChildRpcReply, sendChildTelemetry, sendRpcReply, sendTelemetry, subscribe, unsubscribe,
} from "./message";
export { sendAttributesInParts, sendChildAttributesInParts, sendChildTelemetryInParts, sendRest, sendTelemetryInParts } from "./parts";
export { addressOf, equals, lengthOf, scaled, Text, text, textAt } from "./text";
export { applyOta, errorText, errorValue, features, io, nowMs, randomBits, releaseEvent, startOta, startTimer, stat, state, stopOta, unixMs } from "./verbs";
