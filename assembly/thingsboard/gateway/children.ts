// Keeps the children of a gateway and announces them in every session, one a poll (ThingsBoard Gateway API, device connect).
//
//   entry  0  u16 bytes of the document
//          2  the document that announces the child; it begins with {"device":"NAME"
import { Stat, State, Status } from "../../abi";
import { at } from "../../base/cursor";
import { equals } from "../../base/text";
import { arm, isArmed, isDue, setDeadline, Timer } from "../../base/time";
import { state } from "../../client/connection";
import { drop, isCrowded } from "../../client/outbox";
import { append, lastRecord, lastPayloadLength, NO_NUMBER, publishByte, RAW_CONNECT } from "../../client/publish";
import { setting, Setting } from "../../client/settings";
import { from, length as nameLength, next, open as openScanner } from "../../json/scan";
import { Shape } from "../../json/write";
import { carve, countBy, fail } from "../../memory";
import { addressOf, GATEWAY_CONNECT, GATEWAY_DISCONNECT, lengthOf } from "../topics";
import { publishForChild } from "./send";

const HEAD: usize = 2;

let base: usize = 0;
let tail: usize = 0;
/** The child that is announced next; `tail` when all were. */
let cursor: usize = 0;

export function carveChildren(size: usize): void {
  base = tail = cursor = carve(size);
}

function after(entry: usize): usize {
  return entry + HEAD + load<u16>(entry);
}

/** The entry of the child that a document is about, or 0. */
function find(document: usize, size: i32): usize {
  // Names are written in one way only, so the same name is the same bytes up to its closing quote.
  openScanner(document, size);
  next(); // {
  next(); // "device"
  next();
  const length = <i32>(from - document) + nameLength + 1;
  for (let entry = base; entry < tail; entry = after(entry)) {
    if (<i32>load<u16>(entry) > length && equals(entry + HEAD, document, length)) return entry;
  }
  return 0;
}

function remove(entry: usize): void {
  const next = after(entry);
  memory.copy(entry, next, tail - next);
  if (cursor > entry) cursor -= next - entry;
  tail -= next - entry;
}

/** Takes the document out again that was just published: it counts as never queued. */
function takeBack(): void {
  drop(lastRecord);
  countBy(Stat.MessagesQueued, -1);
}

/** Keeps the child whose document was published with this id, or forgets it. The result of the verb. */
function settle(id: i32, isConnected: bool): i32 {
  if (id < 0) return id;
  const size = lastPayloadLength;
  const needed = <usize>size + HEAD;
  const document = at - size;
  const known = find(document, size);
  if (isConnected) {
    const room = <usize>setting(Setting.ChildrenBuffer);
    const left = known ? after(known) - known : 0;
    if (tail - base + needed - left > room || size > 0xffff) {
      takeBack();
      return needed > room ? fail(Status.TooLarge, <i32>needed, 0, 0) : <i32>Status.Full;
    }
  }
  if (known) remove(known);
  if (isConnected) {
    const isLast = cursor == tail;
    store<u16>(tail, size);
    memory.copy(tail + HEAD, document, size);
    tail += needed;
    if (isLast) cursor = tail;
  }
  if (state >= State.Connected) return id;
  // The next session announces what is there. What disconnects a child stays: before it there may still be its connect document.
  if (isConnected) takeBack();
  return Status.Ok;
}

/** The export `gateway_connect`. */
export function connectChild(length: i32, options: usize): i32 {
  return settle(publishForChild(GATEWAY_CONNECT, length, Shape.ChildConnect, options), true);
}

/** The export `gateway_disconnect`. */
export function disconnectChild(length: i32, options: usize): i32 {
  return settle(publishForChild(GATEWAY_DISCONNECT, length, Shape.ChildDisconnect, options), false);
}

/** Announces the next child while that leaves the application room, and all of them when a session begins and when it is time. */
// @ts-ignore: decorator
@inline
export function announce(isBeginning: bool): void {
  if (isBeginning || isDue(Timer.Children)) {
    setDeadline(Timer.Children, 0);
    cursor = base;
  }
  if (state != State.Connected) return;
  if (cursor == tail) {
    const keepAliveS = setting(Setting.ChildKeepAliveS);
    if (keepAliveS && !isArmed(Timer.Children)) arm(Timer.Children, keepAliveS * 1000);
  } else if (!isCrowded()) {
    const id = append(publishByte(0, 0), addressOf(GATEWAY_CONNECT), lengthOf(GATEWAY_CONNECT), NO_NUMBER, cursor + HEAD, load<u16>(cursor), RAW_CONNECT);
    if (id >= 0) cursor = after(cursor);
  }
}
