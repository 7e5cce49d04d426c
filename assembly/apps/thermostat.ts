// A thermostat: holds a room at the shared attribute `setpoint`, tells what it measures, and answers RPC.
//
// RPC: getState answers temperature, setpoint and heating; setSetpoint {"value":21.5} changes the setpoint until the server does.
import {
  addBoolean, addDecimal, addText, beginMessage, equals, eventId, EventKind, eventName, eventPayload, eventValue, io, lengthOf, readDecimal,
  requestAttributes, sendRpcReply, sendTelemetry, startTimer, Text, text,
} from "../app";
import { HEATER_PIN, Io } from "./board";
export { event_buffer, event_capacity } from "../app";

const INTERVAL_MS: i32 = 1000;
const TIMEOUT_MS: i32 = 5000;
/** All temperatures are hundredths of a degree. */
const HYSTERESIS: i64 = 25;
const SETPOINT_MIN: i64 = 500;
const SETPOINT_MAX: i64 = 3000;
const NONE: i64 = -100000;

let setpoint: i64 = 2100;
let temperature: i64 = 0;
let isHeating: bool = false;

// @ts-ignore: decorator
@lazy
const BYTES: usize = memory.data(4, 4);

export function setup(): void {
  heat(false);
  startTimer(1);
}

function heat(isOn: bool): void {
  isHeating = isOn;
  store<u8>(BYTES, HEATER_PIN);
  store<u8>(BYTES, isOn, 1);
  io(Io.PinWrite, BYTES, 2);
}

function measure(): bool {
  if (io(Io.TemperatureRead, BYTES, 4) < 0) return false;
  temperature = load<i32>(BYTES);
  return true;
}

/** Switches at the edges of a band, so that the heater does not flutter. */
function regulate(): void {
  if (!measure()) return heat(false);
  if (temperature < setpoint - HYSTERESIS) heat(true);
  else if (temperature > setpoint + HYSTERESIS) heat(false);
}

function addState(): void {
  beginMessage();
  addDecimal(text("temperature"), temperature, 2);
  addDecimal(text("setpoint"), setpoint, 2);
  addBoolean(text("heating"), isHeating);
}

/** Takes a setpoint where the document has a sensible one. */
function takeSetpoint(document: Text, path: Text): bool {
  const wanted = readDecimal(document, path, 2, NONE);
  if (wanted < SETPOINT_MIN || wanted > SETPOINT_MAX) return false;
  setpoint = wanted;
  regulate();
  return true;
}

function askForSetpoint(): void {
  beginMessage();
  addText(text("sharedKeys"), text("setpoint"));
  requestAttributes(TIMEOUT_MS);
}

function answer(): void {
  const isSetting = equals(eventName(), text("setSetpoint"));
  if (!isSetting && !equals(eventName(), text("getState"))) return refuse(text("unknown method"));
  if (isSetting && !takeSetpoint(eventValue(), text("value"))) return refuse(text("value must be from 5 to 30"));
  addState();
  sendRpcReply(eventId());
}

function refuse(reason: Text): void {
  beginMessage();
  addText(text("error"), reason);
  sendRpcReply(eventId());
}

export function on_event(kind: i32, length: i32): void {
  switch (kind) {
    case EventKind.AppTimer:
      regulate();
      addState();
      sendTelemetry();
      startTimer(INTERVAL_MS);
      break;
    case EventKind.Connected:
      askForSetpoint();
      break;
    case EventKind.AttributesResponse:
      takeSetpoint(eventPayload(), text("shared.setpoint"));
      break;
    case EventKind.SharedAttributes:
      if (lengthOf(eventPayload())) takeSetpoint(eventPayload(), text("setpoint"));
      break;
    case EventKind.RpcRequest:
      answer();
      break;
  }
}
