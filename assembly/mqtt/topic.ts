// Checks topic names and topic filters [MQTT 3.1.1, 4.7].
import { isUtf8 } from "../base/utf8";

/**
 * True for a valid topic name or, with `isFilter`, a valid topic filter: not empty [MQTT-4.7.3-1], no U+0000
 * [MQTT-4.7.3-2], UTF-8, `+` alone in its level [MQTT-4.7.1-3], `#` alone in the last one [MQTT-4.7.1-2], and no
 * wildcard in a name [MQTT-3.3.2-2].
 */
export function isTopicName(topic: usize, length: i32, isFilter: bool): bool {
  const end = topic + length;
  let before: u32 = 0x2f;
  let at = topic;
  do {
    const byte: u32 = load<u8>(at++);
    // In front of a wildcard stands a slash or nothing, and behind a plus a slash or nothing, behind a hash sign nothing.
    const isAlone = (before == 0x2f) & ((at == end) | ((byte == 0x2b) & (load<u8>(at) == 0x2f)));
    if (!byte | (((byte | 8) == 0x2b) & !(isFilter & isAlone))) return false;
    before = byte;
  } while (at < end);
  return isUtf8(topic, length) & (<u32>(length - 1) < 0xffff);
}
