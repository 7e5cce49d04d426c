// Finds a value inside a JSON text by its path, without copying.
import { JsonField, Status } from "../abi";
import { equals, readDigits } from "../base/text";
import { JSON_VALUE, storePair } from "../memory";
import { from, length, next, open, skip, Token } from "./scan";

/** The export `json_find`: a JsonType with the value record filled, NotFound, or the fault of the text. */
export function find(text: usize, textLength: i32, path: usize, pathLength: i32): i32 {
  open(text, textLength);
  const end = path + pathLength;
  while (path < end) {
    const step = path;
    while (path < end && load<u8>(path) != 0x2e) path++;
    const stepLength = <i32>(path++ - step);
    let token = next();
    // A step that is no index counts down from below zero, past every end.
    const isArray = token == Token.ArrayBegin;
    let left = isArray ? readDigits(step, stepLength) : -1;
    if (<u32>token < <u32>Token.ObjectBegin) token = Token.ArrayEnd; // as if it were behind all that it does not hold
    while (true) {
      if (<u32>token > <u32>Token.ArrayBegin) return token < 0 ? token : <i32>Status.NotFound; // an end or a fault
      if (!left--) break;
      token = isArray ? skip() : next(); // an element, a key, or an end
      if (token == Token.Key) {
        if (length == stepLength && equals(from, step, length)) break;
        token = skip();
      }
    }
  }
  const token = skip();
  storePair(JSON_VALUE + JsonField.Text, from, length);
  // An index just behind the last element leads to the end of its array.
  return token == Token.ArrayEnd ? <i32>Status.NotFound : token;
}
