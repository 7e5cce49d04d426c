// Counts what the server stores of a message: the data points of ThingsBoard's telemetry and attributes.
import { isLiteral, utf8 } from "../base/text";

const TIME_NAME = utf8("ts");
const VALUES_NAME = utf8("values");

/** Both members that make an object an entry with a time. */
const HAS_TS: i32 = 1;
const HAS_VALUES: i32 = 2;

/**
 * The data points of JSON text that is known to be valid: the members of each object, or where it has `ts` and `values`
 * those of its values. An object stands alone or in an array.
 */
export function countPoints(at: usize, end: usize): i32 {
  let points = 0;
  let depth = 0;
  /** How deep the members of an object stand: one deeper inside an array. */
  let level = 0;
  let members = 0;
  let values = 0;
  let found = 0;
  let inValues = false;
  let name: usize = 0;
  let nameEnd: usize = 0;
  while (at < end) {
    const byte: u32 = load<u8>(at++);
    if (byte == 0x22) {
      name = at;
      for (; load<u8>(at) != 0x22; at++) if (load<u8>(at) == 0x5c) at++;
      nameEnd = at++;
    } else if ((byte | 0x20) == 0x7b) {
      if (!depth++) level = byte == 0x7b ? 1 : 2;
    } else if ((byte | 0x20) == 0x7d) {
      if (depth-- == level) {
        points += found == (HAS_TS | HAS_VALUES) ? values : members;
        members = values = found = 0;
      }
    } else if (byte == 0x3a) {
      if (depth == level) {
        const length = <i32>(nameEnd - name);
        members++;
        inValues = isLiteral(name, length, VALUES_NAME);
        found |= inValues ? HAS_VALUES : <i32>isLiteral(name, length, TIME_NAME);
      } else if (inValues && depth == level + 1) {
        values++;
      }
    }
  }
  return points;
}
