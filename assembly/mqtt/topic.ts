// Checks topic names and topic filters [MQTT 3.1.1, 4.7].
import { isUtf8 } from "../base/utf8";

/** Plus and hash sign. */
function isWildcard(byte: u32): bool {
  return (byte | 8) == 0x2b;
}

/**
 * True for a valid topic name or, with `isFilter`, a valid topic filter: not empty [MQTT-4.7.3-1], no U+0000
 * [MQTT-4.7.3-2], UTF-8, `+` alone in its level [MQTT-4.7.1-3], `#` alone in the last one [MQTT-4.7.1-2], and no
 * wildcard in a name [MQTT-3.3.2-2].
 */
export function isTopicName(topic: usize, length: i32, isFilter: bool): bool {
  if (<u32>(length - 1) > 0xfffe) return false;
  let before: u32 = 0x2f;
  for (let at = 0; at < length; at++) {
    const byte: u32 = load<u8>(topic + at);
    if (!byte || (isWildcard(byte) && !isFilter)) return false;
    // In front of a wildcard stands a slash or nothing, and behind it a slash or nothing, which only a plus allows.
    if ((isWildcard(byte) || isWildcard(before)) && before != 0x2f && !(before == 0x2b && byte == 0x2f)) return false;
    before = byte;
  }
  return isUtf8(topic, length);
}
