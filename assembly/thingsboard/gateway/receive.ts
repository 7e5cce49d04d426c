// Tells which message of the ThingsBoard Gateway API arrived, and which child it is about.
import { EventField, EventKind, Stat, Status } from "../../abi";
import { at, moveTo, overflowed, putBytes } from "../../base/cursor";
import { putDecimal } from "../../base/decimal";
import { placeOf, readDigits } from "../../base/text";
import { openRecord } from "../../client/outbox";
import { append, NO_NUMBER, publishByte, RAW_CHILD } from "../../client/publish";
import { ANY_VALUE, isText, lengthAt, readMembers, span, valueAt } from "../../json/members";
import { count, EVENT, storePair } from "../../memory";
import { topic, topicLength } from "../../mqtt/publish";
import { addressOf, CHILD_REPLY, CHILD_REPLY_ID, CHILD_TOO_LARGE, GATEWAY_DOWNLINKS, GATEWAY_MEMBERS, GATEWAY_RPC, lengthOf } from "../topics";

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

/** More than the head of a record, fixed header, topic and packet id of an answer take. */
const BEFORE_PAYLOAD: usize = 44;

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
  let member = span(Child.Value);
  do {
    const value = load<u32>(member);
    if (!value) continue;
    const quote = <u32>(load<u8>(value - 1) == 0x22);
    storePair(EVENT + EventField.Value, value - quote, load<i32>(member, 4) + 2 * quote);
  } while ((member += 8) <= span(Child.Data));
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

/** Answers an RPC that is too large to be read, where the child and the id that `readChild` found are known. */
// @ts-ignore: decorator
@inline
export function refuseChild(id: i32): void {
  if (id < 0 || !valueAt(Child.Device) || !isText(Child.Device)) return;
  // Written where the outbox is free, far enough behind the place of its packet for what stands in front of it there.
  const from = openRecord() + BEFORE_PAYLOAD;
  moveTo(from);
  putBytes(addressOf(CHILD_REPLY), lengthOf(CHILD_REPLY));
  putBytes(valueAt(Child.Device), lengthAt(Child.Device));
  putBytes(addressOf(CHILD_REPLY_ID), lengthOf(CHILD_REPLY_ID));
  putDecimal(id, 0);
  putBytes(addressOf(CHILD_TOO_LARGE), lengthOf(CHILD_TOO_LARGE));
  if (overflowed()) count(Stat.MessagesRefused);
  else append(publishByte(0, 0), addressOf(GATEWAY_RPC), lengthOf(GATEWAY_RPC), NO_NUMBER, from, <i32>(at - from), RAW_CHILD);
}
