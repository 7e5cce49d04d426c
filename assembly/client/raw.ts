// Publishes and subscribes to any topic.
import { State, Status } from "../abi";
import { isTopicName } from "../mqtt/topic";
import { isConfigured, state, wake } from "./connection";
import { NO_NUMBER, publish, RAW } from "./publish";
import { holds } from "./staging";
import { declare, withdraw } from "./subscriptions";

/** The export `publish`. */
export function publishRaw(topic: usize, topicLength: i32, payload: usize, payloadLength: i32, options: usize): i32 {
  if (!holds(topic, topicLength) || !holds(payload, payloadLength)) return Status.InvalidValue;
  if (!isTopicName(topic, topicLength, false)) return Status.InvalidTopic;
  return publish(topic, topicLength, NO_NUMBER, payload, payloadLength, RAW, options);
}

/** Ok, or why this filter cannot be used now. */
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
  wake();
  return declare(filter, length, qos);
}

/** The export `unsubscribe`. */
export function unsubscribe(filter: usize, length: i32): i32 {
  const status = check(filter, length);
  if (status) return status;
  wake();
  return withdraw(filter, length, state >= State.Connected);
}
