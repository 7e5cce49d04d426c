// Writes an event of the device as the log has it.

import { EventFlag, EventKind, EventKindNames, OtaKindNames, StatusNames } from "../../build/generated/abi.ts";
import type { DeviceEvent } from "./device.ts";
import { showBytes } from "./words.ts";

/** A message that came in several parts is one line: `payload` is then the whole. */
export function eventLine(event: DeviceEvent, payload = event.payload): string {
  if (event.kind === EventKind.Message) return `event: Message topic ${showBytes(event.topic)} payload ${showBytes(payload)}${flagsOf(event)}`;
  return `event: ${nameOf(EventKindNames, event.kind)}${fieldsOf(event)}`;
}

export function statusName(status: number): string {
  return nameOf(StatusNames, status);
}

function nameOf(names: Readonly<Record<number, string>>, value: number): string {
  return names[value] ?? String(value);
}

function fieldsOf(event: DeviceEvent): string {
  const topic = ` topic ${showBytes(event.topic)}`;
  switch (event.kind) {
    case EventKind.Connected: return event.reason ? " session_present" : "";
    case EventKind.Disconnected: case EventKind.Unstable: return ` ${statusName(event.reason)}`;
    case EventKind.Refused: return ` ${event.reason}${event.name.length > 0 ? ` ${showBytes(event.name)}` : ""}`;
    case EventKind.Provisioned: return `${event.reason ? ` ${statusName(event.reason)}` : ""} ${showBytes(event.payload)}`;
    case EventKind.ProvisioningFailed: return ` ${statusName(event.reason)}${event.name.length > 0 ? ` ${showBytes(event.name)}` : ""}${event.payload.length > 0 ? ` payload ${showBytes(event.payload)}` : ""}`;
    case EventKind.Delivered: case EventKind.RequestTimeout: case EventKind.ResendNeeded: return ` ${event.id}`;
    case EventKind.MessageRejected: return ` ${event.id}${topic} payload ${showBytes(event.payload)}`;
    case EventKind.Subscribed: case EventKind.SubscriptionRefused: return ` ${event.id}${topic}`;
    case EventKind.MessageTooLarge: return `${topic} total ${event.total}`;
    case EventKind.RpcRequest: return ` ${event.id} method ${showBytes(event.name)}${event.value.length > 0 ? ` params ${Buffer.from(event.value).toString()}` : ""}${event.flags & EventFlag.Repeated ? " repeated" : ""}`;
    case EventKind.SessionLimits: return `${event.reason ? ` ${statusName(event.reason)}` : ""} ${Buffer.from(event.payload).toString()}`;
    case EventKind.OtaAvailable: return ` ${nameOf(OtaKindNames, event.id)} ${showBytes(event.name)} ${showBytes(event.value)} total ${event.total}`;
    case EventKind.OtaProgress: return ` ${nameOf(OtaKindNames, event.id)} ${event.offset} of ${event.total}`;
    case EventKind.OtaReady: case EventKind.OtaApplied: return ` ${nameOf(OtaKindNames, event.id)} ${showBytes(event.name)} ${showBytes(event.value)}`;
    case EventKind.OtaUrl: return ` ${nameOf(OtaKindNames, event.id)} ${showBytes(event.name)} checksum ${showBytes(event.value)} total ${event.total}`;
    case EventKind.OtaFailed: return ` ${nameOf(OtaKindNames, event.id)} ${statusName(event.reason)} ${showBytes(event.name)}`;
    case EventKind.ChildAttributes: return ` ${showBytes(event.topic)} ${Buffer.from(event.value).toString()}`;
    case EventKind.ChildAttributesResponse: return ` ${event.id} ${showBytes(event.topic)}${event.value.length > 0 ? ` ${Buffer.from(event.value).toString()}` : ""}`;
    case EventKind.ChildRpcRequest: return ` ${event.id} ${showBytes(event.topic)} method ${showBytes(event.name)}${event.value.length > 0 ? ` params ${Buffer.from(event.value).toString()}` : ""}`;
    case EventKind.ChildDisconnected: return ` ${showBytes(event.topic)} ${event.reason}`;
    case EventKind.SharedAttributes: return ` ${Buffer.from(event.payload).toString()}`;
    case EventKind.AttributesResponse: return ` ${event.id} ${Buffer.from(event.payload).toString()}`;
    case EventKind.RpcResponse: return ` ${event.id}${event.reason ? ` ${statusName(event.reason)}` : ""} ${Buffer.from(event.payload).toString()}`;
    case EventKind.InvalidMessage: return ` ${statusName(event.reason)}${topic}`;
  }
  return "";
}

function flagsOf(event: DeviceEvent): string {
  return (event.flags & EventFlag.Qos1 ? ` qos 1 id ${event.id}` : "") + (event.flags & EventFlag.Dup ? " dup" : "") + (event.flags & EventFlag.Retain ? " retain" : "");
}
