// Connects and disconnects the children of a gateway and announces them in every session, one a poll (ThingsBoard Gateway API, device connect).
import { State, Status } from "../../abi";
import { at } from "../../base/cursor";
import { arm, isArmed, isDue, setDeadline, Timer } from "../../base/time";
import { add, after, base, carveTable, documentOf, DOCUMENT_MAX, find, lengthOf as documentLength, remove, sizeFor, tail } from "../../client/children";
import { state } from "../../client/connection";
import { drop, isCrowded } from "../../client/outbox";
import { append, lastRecord, lastPayloadLength, NO_NUMBER, publishByte, RAW_CONNECT } from "../../client/publish";
import { setting, Setting } from "../../client/settings";
import { from, length as nameLength, next, open as openScanner } from "../../json/scan";
import { Shape } from "../../json/write";
import { fail } from "../../memory";
import { addressOf, GATEWAY_CONNECT, GATEWAY_DISCONNECT, lengthOf } from "../topics";
import { publishForChild } from "./send";

/** The child that is announced next; the end of the table when all were. */
let cursor: usize = 0;

export function carveChildren(size: usize): void {
  carveTable(size);
  cursor = base;
}

/** Keeps the child whose document was published with this id, or forgets it. The result of the verb. */
function settle(id: i32, isConnected: bool): i32 {
  if (id < 0) return id;
  const size = lastPayloadLength;
  const needed = sizeFor(size);
  const document = at - size;
  openScanner(document, size);
  next(); // {
  next(); // "device"
  next();
  const known = find(from, nameLength);
  const left = known ? after(known) - known : 0;
  if (isConnected) {
    const room = <usize>setting(Setting.ChildrenBuffer);
    if (tail - base + needed - left > room || size > DOCUMENT_MAX) {
      drop(lastRecord);
      return needed > room ? fail(Status.TooLarge, <i32>needed, 0, 0) : <i32>Status.Full;
    }
  }
  if (known) {
    remove(known);
    if (cursor > known) cursor -= left;
  }
  if (isConnected) {
    const isLast = cursor == tail;
    add(document, size);
    if (isLast) cursor = tail;
  }
  if (state >= State.Connected) return id;
  // The next session announces what is there.
  drop(lastRecord);
  return Status.Ok;
}

/** The export `gateway_connect`. */
export function connectChild(length: i32, options: usize): i32 {
  return settle(publishForChild(GATEWAY_CONNECT, length, Shape.ChildConnect, options), true);
}

/** The export `gateway_disconnect`. */
export function disconnectChild(length: i32, options: usize): i32 {
  return settle(publishForChild(GATEWAY_DISCONNECT, length, Shape.ChildMessage, options), false);
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
    const id = append(publishByte(0, 0), addressOf(GATEWAY_CONNECT), lengthOf(GATEWAY_CONNECT), NO_NUMBER, documentOf(cursor), documentLength(cursor), RAW_CONNECT);
    if (id >= 0) cursor = after(cursor);
  }
}
