// Finds a value inside a JSON text by its path, without copying.
import { JsonField, Status } from "../abi";
import { equals, readDigits } from "../base/text";
import { JSON_VALUE } from "../memory";
import { from, length, next, open, skip, Token } from "./scan";

/** Moves the scanner to the member or element that one step of the path names: Ok, NotFound, or the fault of the text. */
function enter(step: usize, stepLength: i32): i32 {
  let token = next();
  const isArray = token == Token.ArrayBegin;
  if (isArray || token == Token.ObjectBegin) {
    // A step that is no index counts down from below zero, past every end.
    let left = readDigits(step, stepLength);
    do {
      if (isArray) {
        if (!left--) return Status.Ok;
      } else {
        token = next();
        if (token != Token.Key) break;
        if (length == stepLength && equals(from, step, length)) return Status.Ok;
      }
      token = skip();
    } while (token > 0 && token != Token.ArrayEnd);
  }
  return token < 0 ? token : Status.NotFound;
}

/** The export `json_find`: a JsonType with the value record filled, NotFound, or the fault of the text. */
export function find(text: usize, textLength: i32, path: usize, pathLength: i32): i32 {
  open(text, textLength);
  const end = path + pathLength;
  while (path < end) {
    const step = path;
    while (path < end && load<u8>(path) != 0x2e) path++;
    const status = enter(step, <i32>(path++ - step));
    if (status) return status;
  }
  const token = skip();
  store<u32>(JSON_VALUE, from, JsonField.Text);
  store<u32>(JSON_VALUE, length, JsonField.TextLength);
  // An index just behind the last element leads to the end of its array.
  return token == Token.ArrayEnd ? <i32>Status.NotFound : token;
}
