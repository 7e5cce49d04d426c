// Declares subscriptions: each stays in the outbox as the packet that asserts it.
import { State, Status } from "../abi";
import { isTopicName } from "../mqtt/topic";
import { isConfigured, isOnItsWay, state } from "./connection";
import * as outbox from "./outbox";
import { append, NO_NUMBER, QOS_0, RAW, SUBSCRIBE, UNSUBSCRIBE } from "./publish";
import { holds } from "./staging";

/** Ok, or why this filter cannot be used. */
function check(filter: usize, length: i32): i32 {
  if (!isConfigured) return Status.BadState;
  if (!holds(filter, length)) return Status.InvalidValue;
  return isTopicName(filter, length, true) ? Status.Ok : Status.InvalidTopic;
}

/** The export `subscribe`. */
export function subscribe(filter: usize, length: i32, qos: i32): i32 {
  const status = check(filter, length);
  if (status) return status;
  if (<u32>qos > 1) return Status.InvalidValue;
  const packet = outbox.subscriptionTo(filter, length);
  if (packet) {
    // Subscribing again as a refresh makes ThingsBoard send every open RPC again, so only a change is sent.
    if (load<u8>(packet + outbox.packetLength(packet) - 1) == <u8>qos) return outbox.idOf(packet);
    if (isOnItsWay(packet)) return Status.Full;
  }
  const id = append(SUBSCRIBE, filter, length, NO_NUMBER, QOS_0 + qos, 1, RAW);
  if (packet && id > 0) outbox.drop(outbox.subscriptionTo(filter, length));
  return id;
}

/** The export `unsubscribe`. */
export function unsubscribe(filter: usize, length: i32): i32 {
  const status = check(filter, length);
  if (status) return status;
  const packet = outbox.subscriptionTo(filter, length);
  if (!packet) return Status.NotFound;
  if (isOnItsWay(packet)) return Status.Full;
  if (state >= State.Connected) {
    const id = append(UNSUBSCRIBE, filter, length, NO_NUMBER, filter, 0, RAW);
    if (id < 0) return id;
  }
  outbox.drop(outbox.subscriptionTo(filter, length));
  return Status.Ok;
}
