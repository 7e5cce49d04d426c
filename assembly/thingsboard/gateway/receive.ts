// Tells which message of the ThingsBoard Gateway API arrived, and which child it is about.
import { EventField, EventKind, Status } from "../../abi";
import { placeOf, readDigits } from "../../base/text";
import { ANY_VALUE, isText, lengthAt, readMembers, span, valueAt } from "../../json/members";
import { EVENT } from "../../memory";
import { topic, topicLength } from "../../mqtt/publish";
import { GATEWAY_DOWNLINKS, GATEWAY_MEMBERS } from "../topics";

/** Members of the documents, in the order of GATEWAY_MEMBERS. */
const enum Child {
  Device = 0,
  Method = 1,
  Id = 2,
  Reason = 3,
  Value = 4, // from here on what the event has as its value
  Data = 7, // outside of RPC
  Count = 8,
}

/** The event that the topic belongs to; one below ChildAttributes when it is no topic of the Gateway API. */
// @ts-ignore: decorator
@inline
export function kindOfTopic(): i32 {
  return EventKind.ChildAttributes + placeOf(GATEWAY_DOWNLINKS, 4, topic, topicLength);
}

/** Reads a document into the event record: Ok, or the Status of what is wrong with it. What was found is there all the same. */
export function readChild(kind: i32, document: usize, documentLength: i32): i32 {
  // The members of an RPC stand one level deeper, in `data`.
  const isRpc = kind == EventKind.ChildRpcRequest;
  const status = readMembers(document, documentLength, GATEWAY_MEMBERS, isRpc ? Child.Data : Child.Count, ANY_VALUE, 0);
  for (let member = span(Child.Value); member <= span(Child.Data); member += 8) {
    const value = load<u32>(member);
    if (!value) continue;
    const quote = <u32>(load<u8>(value - 1) == 0x22);
    store<u32>(EVENT, value - quote, EventField.Value);
    store<u32>(EVENT, load<u32>(member, 4) + 2 * quote, EventField.ValueLength);
  }
  let id = 0;
  if (isRpc || kind == EventKind.ChildAttributesResponse) id = readDigits(valueAt(Child.Id), lengthAt(Child.Id));
  store<i32>(EVENT, id, EventField.Id);
  store<i32>(EVENT, max(readDigits(valueAt(Child.Reason), lengthAt(Child.Reason)), 0), EventField.Reason);
  if (status) return status;
  if (!valueAt(Child.Device) || id < 0) return Status.MissingKey;
  if (isRpc) {
    if (!valueAt(Child.Method) || !isText(Child.Method)) return Status.MissingKey;
    store<u64>(EVENT, load<u64>(span(Child.Method)), EventField.Name);
  }
  if (!isText(Child.Device)) return Status.WrongType;
  store<u64>(EVENT, load<u64>(span(Child.Device)), EventField.Topic);
  return Status.Ok;
}
