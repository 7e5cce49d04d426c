// Tells which message of the ThingsBoard Gateway API arrived, and which child it is about.
import { EventField, EventKind, Status } from "../../abi";
import { placeOf, readDigits, startsWith } from "../../base/text";
import { from, length, next, skip, Token } from "../../json/scan";
import { EVENT } from "../../memory";
import { topic, topicLength } from "../../mqtt/publish";
import { GATEWAY, GATEWAY_DOWNLINKS, GATEWAY_MEMBERS } from "../topics";

/** Members of the documents, in the order of GATEWAY_MEMBERS. */
const enum Child {
  Device = 0,
  Data = 1,
  Value = 2, // what the event has as its value: Data outside of RPC, and from here to Params
  Params = 4,
  Method = 5,
  Id = 6,
  Reason = 7,
  Count = 8,
}

/** The event that the topic belongs to, or None. */
// @ts-ignore: decorator
@inline
export function kindOfTopic(): i32 {
  if (!startsWith(topic, topicLength, GATEWAY)) return EventKind.None;
  const prefix: i32 = load<u8>(GATEWAY);
  const place = placeOf(GATEWAY_DOWNLINKS, 4, topic + prefix, topicLength - prefix);
  return place < 4 ? EventKind.ChildAttributes + place : <i32>EventKind.None;
}

/** Reads the document that was opened into the event record: Ok, or the Status of what is wrong with it. What was found is there all the same. */
export function readChild(kind: i32): i32 {
  let token = next();
  if (token != Token.ObjectBegin) return token < 0 ? token : <i32>Status.WrongType;
  let device: usize = 0;
  let deviceLength = 0;
  let id = kind == EventKind.ChildAttributesResponse || kind == EventKind.ChildRpcRequest ? -1 : 0;
  do {
    token = next();
    if (token == Token.Key) {
      const member = placeOf(GATEWAY_MEMBERS, Child.Count, from, length);
      // The members of an RPC stand one level deeper.
      if (kind == EventKind.ChildRpcRequest && member == Child.Data) continue;
      token = skip();
      if (member == Child.Device) {
        if (token != Token.Text) return token < 0 ? token : <i32>Status.WrongType;
        device = from;
        deviceLength = length;
      } else if (member <= Child.Params) {
        const quote = <i32>(token == Token.Text);
        store<u32>(EVENT, from - quote, EventField.Value);
        store<u32>(EVENT, length + 2 * quote, EventField.ValueLength);
      } else if (member == Child.Method && token == Token.Text) {
        store<u32>(EVENT, from, EventField.Name);
        store<u32>(EVENT, length, EventField.NameLength);
      } else if (member == Child.Id) {
        id = readDigits(from, length);
      } else if (member == Child.Reason) {
        store<i32>(EVENT, readDigits(from, length), EventField.Reason);
      }
    }
  } while (token > 0);
  store<i32>(EVENT, id, EventField.Id);
  if (token) return token;
  if (!device || id < 0 || (kind == EventKind.ChildRpcRequest && !load<u32>(EVENT, EventField.Name))) return Status.MissingKey;
  store<u32>(EVENT, device, EventField.Topic);
  store<u32>(EVENT, deviceLength, EventField.TopicLength);
  return Status.Ok;
}
