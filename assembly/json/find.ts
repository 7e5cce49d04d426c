// Finds a value inside a JSON text by its path, without copying.
import { JsonField, JsonType, Status } from "../abi";
import { equals } from "../base/text";
import { JSON_VALUE } from "../memory";
import { exponent, mantissa, readNumber } from "./number";
import { from, length, next, open, skip, Token } from "./scan";

/** Moves the scanner to the member or element that one step of the path names; false when there is none. */
function enter(step: usize, stepLength: i32): i32 {
  let index = 0;
  for (let digit = 0; digit < stepLength; digit++) {
    // Saturates far above any index that a text in memory can have.
    index = min<i32>(index * 10 + <i32>load<u8>(step + digit) - 0x30, 0xffffff);
  }
  let token = next();
  const isArray = token == Token.ArrayBegin;
  if (token != Token.ObjectBegin && !isArray) return token < 0 ? token : <i32>Status.NotFound;
  while (true) {
    if (isArray) {
      if (!index--) return Status.Ok;
    } else {
      token = next();
      if (token < 0) return token;
      if (token != Token.Key) return Status.NotFound;
      if (length == stepLength && equals(from, step, length)) return Status.Ok;
    }
    token = skip();
    if (token < 0) return token;
    if (token == Token.ArrayEnd) return Status.NotFound;
  }
}

/** The export `json_find`: a JsonType with the value record filled, NotFound, or the fault of the text. */
export function find(text: usize, textLength: i32, path: usize, pathLength: i32): i32 {
  open(text, textLength);
  const end = path + pathLength;
  while (path < end) {
    let to = path;
    while (to < end && load<u8>(to) != 0x2e) to++;
    const status = enter(path, <i32>(to - path));
    if (status < 0) return status;
    path = to + 1;
  }
  const token = skip();
  if (token < 0) return token;
  store<u32>(JSON_VALUE, from, JsonField.Text);
  store<u32>(JSON_VALUE, length, JsonField.TextLength);
  switch (token) {
    case Token.ObjectBegin: return JsonType.Object;
    case Token.ArrayBegin: return JsonType.Array;
    case Token.Text: return JsonType.Text;
    case Token.True: return JsonType.True;
    case Token.False: return JsonType.False;
    case Token.Null: return JsonType.Null;
    case Token.Number: break;
    default: return Status.NotFound; // an index behind the last element
  }
  const type = readNumber(from, length);
  store<i64>(JSON_VALUE, mantissa, JsonField.Number);
  store<i32>(JSON_VALUE, exponent, JsonField.Exponent);
  return type;
}
