// Looks at the first member of the message record in the staging area, by which some verbs tell what it is about.
import { Member, MemberField } from "../abi";
import { isLiteral } from "../base/text";
import { address } from "../client/staging";
import { DEVICE } from "./topics";

/** The first member of the object that the record is, if it has this type and key, else 0. How long the record is stands with who publishes it. */
export function firstMember(type: i32, key: usize): usize {
  const record = address();
  const member = record + MemberField.Key;
  const isFirst = (load<u32>(record) == Member.ObjectBegin) & (load<u8>(member) == <u8>type);
  return isFirst & isLiteral(member + MemberField.Key, load<u16>(member, MemberField.KeyLength), key) ? member : 0;
}

/** True when the record begins with the name of a child; the server ends a connection for an empty one. */
export function namesChild(): bool {
  const member = firstMember(Member.Text, DEVICE);
  return member != 0 && load<i64>(member, MemberField.Number) > 0;
}
