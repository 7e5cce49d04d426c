// Looks values up in JSON text by asking the host, whose reader checks the text.
import { JsonField, JsonType } from "../abi";
import { FOUND } from "./memory";
import { addressOf, lengthOf, scaled, Text, textAt } from "./text";
import { rawJsonFind, rawJsonText } from "./verbs";

/** The type of a value (JsonType), NotFound, or the fault of the text. A path is names and indices separated by points. */
export function findJson(document: Text, path: Text): i32 {
  return rawJsonFind(addressOf(document), lengthOf(document), addressOf(path), lengthOf(path), FOUND);
}

/** The value that was found last; of a string without its quotes and still escaped. */
export function foundJson(): Text {
  return textAt(load<u32>(FOUND, JsonField.Text), load<i32>(FOUND, JsonField.TextLength));
}

/** A number times 10^digits, cut off behind them; `otherwise` when there is none, or none that 64 bits hold. */
export function readDecimal(document: Text, path: Text, digits: i32, otherwise: i64): i64 {
  return findJson(document, path) == JsonType.Number ? scaled(foundJson(), digits, otherwise) : otherwise;
}

export function readBoolean(document: Text, path: Text, otherwise: bool): bool {
  const type = findJson(document, path);
  if (type == JsonType.True) return true;
  return type == JsonType.False ? false : otherwise;
}

/** Writes a string found before without its escapes; its length, or a Status. */
export function unescape(text: Text, to: usize, capacity: i32): i32 {
  return rawJsonText(addressOf(text), lengthOf(text), to, capacity);
}
