// Receives messages of the ThingsBoard Device API, right ones and wrong ones, and any other message.

import { EventField, EventFlag, EventKind, Stat, Status } from "../../../assembly/abi";
import { poll } from "../../../assembly/thingsboard/device";
import { configure, connect, eventFlags, eventId, eventReason, eventText, pollOn, stat } from "../device";
import { arrive, putText, sentHex, take_sent, textAt } from "../host";

const PACKET = memory.data(512, 8);
const SENT = memory.data(512, 8);

/** A PUBLISH at QoS 0 arrives; the kind of its event. */
function message(topic: string, payload: string): i32 {
  const topicLength = putText(PACKET + 8, topic);
  const payloadLength = putText(PACKET + 8 + topicLength, payload);
  const remaining = 2 + topicLength + payloadLength;
  const from = PACKET + 3;
  store<u8>(from, 0x30);
  store<u8>(from, (remaining & 127) | 128, 1);
  store<u8>(from, remaining >> 7, 2);
  if (remaining < 128) {
    store<u8>(from, 0x30, 1);
    store<u8>(from, remaining, 2);
  }
  store<u8>(from, 0, 3);
  store<u8>(from, topicLength, 4);
  const skipped = <i32>(remaining < 128);
  arrive(from + skipped, remaining + 3 - skipped);
  return pollOn();
}

const RPC: string = "v1/devices/me/rpc/request/";

describe("receive", () => {
  test("a session", () => {
    expect<i32>(configure('{"mqtt_host":"h","rpc":false,"shared_attributes":false,"receive_buffer":128,"qos":0}')).toBe(Status.Ok);
    expect<i32>(connect()).toBe(EventKind.Connected);
  });
  test("a request with method and params", () => {
    expect<i32>(message(RPC + "7", '{"method":"setGpio","params":{"pin":1}}')).toBe(EventKind.RpcRequest);
    expect<i32>(eventId()).toBe(7);
    expect<string>(eventText(EventField.Name)).toBe("setGpio");
    expect<string>(eventText(EventField.Value)).toBe('{"pin":1}');
    expect<string>(eventText(EventField.Topic)).toBe(RPC + "7");
  });
  test("params are any JSON, a string with its quotes, or absent", () => {
    expect<i32>(message(RPC + "0", '{"params":"a","method":"m"}')).toBe(EventKind.RpcRequest);
    expect<i32>(eventId()).toBe(0);
    expect<string>(eventText(EventField.Value)).toBe('"a"');
    expect<i32>(message(RPC + "2147483647", '{"method":"m","timeout":1,"x":{"method":2}}')).toBe(EventKind.RpcRequest);
    expect<i32>(eventId()).toBe(2147483647);
    expect<string>(eventText(EventField.Name)).toBe("m");
    expect<string>(eventText(EventField.Value)).toBe("");
  });
  test("requests that are none, with the reason", () => {
    const invalid = stat(Stat.InboundInvalid);
    expect<i32>(message(RPC + "1", "[]")).toBe(EventKind.InvalidMessage);
    expect<i32>(eventReason()).toBe(Status.WrongType);
    expect<i32>(message(RPC + "1", '{"method":1}')).toBe(EventKind.InvalidMessage);
    expect<i32>(eventReason()).toBe(Status.WrongType);
    expect<i32>(message(RPC + "1", '{"params":1}')).toBe(EventKind.InvalidMessage);
    expect<i32>(eventReason()).toBe(Status.MissingKey);
    expect<i32>(message(RPC + "1", '{"method":"m"')).toBe(EventKind.InvalidMessage);
    expect<i32>(eventReason()).toBe(Status.MoreBytes);
    expect<i32>(message(RPC + "1", '{"method":"m"}}')).toBe(EventKind.InvalidMessage);
    expect<i32>(eventReason()).toBe(Status.Malformed);
    expect<u32>(stat(Stat.InboundInvalid) - invalid).toBe(5);
  });
  test("ids that no answer could carry", () => {
    const ids = ["", "x", "-1", "2147483648", "1/2", "+"];
    for (let index = 0; index < ids.length - 1; index++) {
      expect<i32>(message(RPC + ids[index], '{"method":"m"}')).toBe(EventKind.InvalidMessage);
      expect<i32>(eventReason()).toBe(Status.InvalidTopic);
    }
  });
  test("shared attributes", () => {
    expect<i32>(message("v1/devices/me/attributes", '{"a":1}')).toBe(EventKind.SharedAttributes);
    expect<string>(eventText(EventField.Payload)).toBe('{"a":1}');
    expect<i32>(message("v1/devices/me/attributes", "[1]")).toBe(EventKind.InvalidMessage);
    expect<i32>(eventReason()).toBe(Status.WrongType);
    expect<i32>(message("v1/devices/me/attributes", '{"a":1')).toBe(EventKind.InvalidMessage);
    expect<i32>(eventReason()).toBe(Status.MoreBytes);
  });
  test("a response to no request is counted and no event", () => {
    const unknown = stat(Stat.AcknowledgementsUnknown);
    expect<i32>(message("v1/devices/me/attributes/response/1", "{}")).toBe(EventKind.None);
    expect<i32>(message("v1/devices/me/attributes/response/0", "{}")).toBe(EventKind.None);
    expect<i32>(message("v1/devices/me/rpc/response/1", "{}")).toBe(EventKind.None);
    expect<i32>(message("v1/devices/me/rpc/response/1", "x".repeat(200))).toBe(EventKind.None);
    expect<u32>(stat(Stat.AcknowledgementsUnknown) - unknown).toBe(4);
  });
  test("any other topic is a message, also one that only begins alike", () => {
    const topics = ["a", "v1/devices/me/attribute", "v1/devices/me/attributes/", "v1/devices/me/attributes2", "v1/devices/me/rpc/request", "v1/devices/me/rpc/response", "v1/devices/me/telemetry"];
    for (let index = 0; index < topics.length; index++) {
      expect<i32>(message(topics[index], "x")).toBe(EventKind.Message);
      expect<string>(eventText(EventField.Topic)).toBe(topics[index]);
      expect<i32>(eventFlags()).toBe(EventFlag.Last);
    }
  });
  test("a request that does not fit is answered, and the next one comes as always", () => {
    sentHex();
    const large = '{"method":"m","params":"' + "x".repeat(120) + '"}';
    expect<i32>(message(RPC + "9", large)).toBe(EventKind.MessageTooLarge);
    expect<i32>(eventId()).toBe(9);
    poll();
    const length = take_sent(SENT);
    expect<string>(textAt(SENT + 4, length - 4)).toBe('v1/devices/me/rpc/response/9{"error":"too_large"}');
    expect<i32>(message(RPC + "10", '{"method":"m"}')).toBe(EventKind.RpcRequest);
    expect<i32>(eventId()).toBe(10);
  });
  test("a topic with a wildcard ends the connection [MQTT-3.3.2-2]", () => {
    expect<i32>(message("a/+", "x")).toBe(EventKind.Disconnected);
    expect<i32>(eventReason()).toBe(Status.ProtocolError);
  });
});
