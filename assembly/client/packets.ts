// Handles the packets of the peer that are no PUBLISH: CONNACK, PINGRESP and the acknowledgements.
import { EventKind, ReturnCode, Stat, State, Status } from "../abi";
import { disarm, isArmed, Timer } from "../base/time";
import { count } from "../memory";
import { Packet, SUBACK_REFUSED } from "../mqtt/packet";
import { readU16 } from "../mqtt/publish";
import { happen, setProved, state } from "./connection";
import { raise, setTopic } from "./event";
import { greeting, isLimited } from "./hello";
import { passPacket } from "./inbound";
import * as outbox from "./outbox";
import { packetOf } from "./outbox-record";
import { isSending } from "./sending";
import { Event } from "./transition";

/** The SUBACK of a greeting that is a SUBSCRIBE, in the place of what only limits need. */
export const SUBACK_TIMER: i32 = Timer.Pace;

function receiveConnack(flags: u32, code: i32): i32 {
  // Nobody can have read a CONNECT of which a part has not left.
  if ((flags > 1) | (code > <i32>ReturnCode.NotAuthorized) | isSending()) return Status.ProtocolError;
  if (code) return Status.ConnectRefused;
  count(Stat.Connects);
  happen(Event.Accepted);
  // It is not the session that the application waits for.
  if (isLimited()) return EventKind.None;
  return raise(EventKind.Connected, 0, flags);
}

/** Handles the packet that `inbound.receive` found: its event, or the Status that ends the connection. */
// @ts-ignore: decorator
@apart
export function receivePacket(type: i32): i32 {
  const from = passPacket();
  const isConnack = type == Packet.Connack;
  if (isConnack != (state == State.Connecting)) return Status.ProtocolError;
  if (isConnack) return receiveConnack(load<u8>(from), load<u8>(from, 1));
  setProved();
  if (type == Packet.Pingresp) {
    disarm(Timer.Pong);
    return EventKind.None;
  }
  const id = readU16(from);
  const code: u32 = <u32>(type == Packet.Suback) * load<u8>(from, 2);
  if (code > 1 && code != SUBACK_REFUSED) return Status.ProtocolError;
  if (isLimited()) return code > 1 ? <i32>Status.RemoteError : <i32>EventKind.None;
  let record: usize = 0; // or the greeting, which is none
  if (FEATURE_RAW || type != Packet.Suback) record = outbox.acknowledge(type, id);
  else if (isArmed(SUBACK_TIMER) && readU16(greeting + 2) == id) record = greeting;
  if (!record) {
    count(Stat.AcknowledgementsUnknown);
    return EventKind.None;
  }
  if (type == Packet.Puback) {
    count(Stat.MessagesDelivered);
    return raise(EventKind.Delivered, id, 0);
  }
  if (FEATURE_RAW && type == Packet.Unsuback) return EventKind.None;
  if (FEATURE_RAW) outbox.lend();
  else disarm(SUBACK_TIMER);
  const kind = raise(code > 1 ? <i32>EventKind.SubscriptionRefused : <i32>EventKind.Subscribed, id, code);
  // Behind the fixed header and the packet id stand the length and the filter.
  const packet = FEATURE_RAW ? packetOf(record) : record;
  const filter = packet + (FEATURE_RAW ? <i32>(load<i8>(packet, 1) < 0) : 0) + 6;
  setTopic(filter, readU16(filter - 2));
  return kind;
}
