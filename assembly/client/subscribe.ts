// Declares subscriptions: each stays in the outbox as the packet that asserts it.
import { State, Status } from "../abi";
import { isTopicName } from "../mqtt/topic";
import { isConfigured } from "./backoff";
import { state } from "./connection";
import * as outbox from "./outbox";
import { idOf, packetEnd, SUBSCRIBE } from "./outbox-record";
import { append, NO_NUMBER, RAW, UNSUBSCRIBE } from "./publish";
import { isOnItsWay } from "./sending";
import { QOS_0, QOS_1 } from "./settings";
import { holds } from "./staging";

/** Declares a filter of the module itself, at QoS 1; below zero when the outbox has no room for it. */
export function declareFilter(filter: usize, length: i32): i32 {
  return append(SUBSCRIBE, filter, length, NO_NUMBER, QOS_1, 1, RAW);
}

/** Takes the subscription to a filter out, and with SUBSCRIBE puts one with this QoS in its place: the id of that, or a Status. */
function change(firstByte: u32, filter: usize, length: i32, qos: i32): i32 {
  if (!isConfigured()) return Status.BadState;
  if (!holds(filter, length) || <u32>qos > 1) return Status.InvalidValue;
  if (!isTopicName(filter, length, true)) return Status.InvalidTopic;
  const isSubscribe = firstByte == SUBSCRIBE;
  const record = outbox.subscriptionTo(filter, length);
  if (record) {
    const end = packetEnd(record);
    // Subscribing again as a refresh makes ThingsBoard send every open RPC again, so only a change is sent.
    if (isSubscribe & (<i32>load<u8>(end - 1) == qos)) return idOf(record);
    if (isOnItsWay(end)) return Status.Full;
  } else if (!isSubscribe) {
    return Status.NotFound;
  }
  let id: i32 = Status.Ok;
  if (isSubscribe || state >= State.Connected) {
    id = append(firstByte, filter, length, NO_NUMBER, QOS_0 + qos, <i32>isSubscribe, RAW);
    if (id < 0) return id;
  }
  // What was appended may have moved it.
  if (record) outbox.drop(outbox.subscriptionTo(filter, length));
  return isSubscribe ? id : <i32>Status.Ok;
}

/** The export `subscribe`. */
export function subscribe(filter: usize, length: i32, qos: i32): i32 {
  return change(SUBSCRIBE, filter, length, qos);
}

/** The export `unsubscribe`. */
export function unsubscribe(filter: usize, length: i32): i32 {
  return change(UNSUBSCRIBE, filter, length, 0);
}
