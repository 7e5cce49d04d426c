// Pins by RPC, as ThingsBoard's GPIO widgets ask: getGpioStatus answers {"1":true,...}, setGpioStatus {"pin":1,"enabled":true} switches one.
//
// What was switched is told as client attributes too, so that a dashboard sees it whoever asked.
import {
  addBoolean, addText, beginMessage, equals, eventId, EventKind, eventName, eventValue, io, readBoolean, readDecimal, sendAttributes,
  sendRpcReply, Text, text, textAt,
} from "../app";
import { Io, PINS } from "./board";
export { event_buffer, event_capacity } from "../app";

// @ts-ignore: decorator
@lazy
const BYTES: usize = memory.data(2, 2);

/** The name of a pin: one digit, because the board has fewer than ten. */
// @ts-ignore: decorator
@lazy
const NAME: usize = memory.data(1);

export function setup(): void {
  tell();
}

function read(pin: i32): bool {
  store<u8>(BYTES, pin);
  return io(Io.PinRead, BYTES, 1) == 1;
}

function write(pin: i32, isOn: bool): i32 {
  store<u8>(BYTES, pin);
  store<u8>(BYTES, isOn, 1);
  return io(Io.PinWrite, BYTES, 2);
}

/** Begins a message with the level of every pin. */
function addPins(): void {
  beginMessage();
  for (let pin = 1; pin <= PINS; pin++) {
    store<u8>(NAME, 0x30 + pin);
    addBoolean(textAt(NAME, 1), read(pin));
  }
}

function tell(): void {
  addPins();
  sendAttributes();
}

function refuse(reason: Text): void {
  beginMessage();
  addText(text("error"), reason);
  sendRpcReply(eventId());
}

function set(): bool {
  const pin = <i32>readDecimal(eventValue(), text("pin"), 0, 0);
  if (write(pin, readBoolean(eventValue(), text("enabled"), false)) >= 0) return true;
  refuse(text("no such pin"));
  return false;
}

export function on_event(kind: i32, length: i32): void {
  if (kind != EventKind.RpcRequest) return;
  const isSetting = equals(eventName(), text("setGpioStatus"));
  if (!isSetting && !equals(eventName(), text("getGpioStatus"))) return refuse(text("unknown method"));
  if (isSetting && !set()) return;
  addPins();
  sendRpcReply(eventId());
  if (isSetting) tell();
}
