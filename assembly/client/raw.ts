// Publishes to any topic.
import { Status } from "../abi";
import { isTopicName } from "../mqtt/topic";
import { append, NO_NUMBER, publishByte, RAW } from "./publish";
import { holds } from "./staging";

/** The export `publish`. */
export function publishRaw(topic: usize, topicLength: i32, payload: usize, payloadLength: i32, options: usize): i32 {
  if (!(holds(topic, topicLength) & holds(payload, payloadLength))) return Status.InvalidValue;
  if (!isTopicName(topic, topicLength, false)) return Status.InvalidTopic;
  return append(publishByte(0, options), topic, topicLength, NO_NUMBER, payload, payloadLength, RAW);
}
