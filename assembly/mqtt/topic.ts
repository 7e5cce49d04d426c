// Checks topic names and topic filters [MQTT 3.1.1, 4.7].
import { isUtf8 } from "../base/utf8";

/**
 * True for a valid topic name or, with `isFilter`, a valid topic filter: not empty [MQTT-4.7.3-1], no U+0000
 * [MQTT-4.7.3-2], UTF-8, `+` alone in its level [MQTT-4.7.1-3], `#` alone in the last one [MQTT-4.7.1-2], and no
 * wildcard in a name [MQTT-3.3.2-2].
 */
export function isTopicName(topic: usize, length: i32, isFilter: bool): bool {
  if (length < 1 || length > 0xffff) return false;
  const end = topic + length;
  let before: u32 = 0x2f;
  let high: u32 = 0;
  for (let at = topic; at < end; at++) {
    const byte: u32 = load<u8>(at);
    high |= byte;
    if (!byte) return false;
    if (byte == 0x2b || byte == 0x23) {
      const last = at + 1 == end;
      if (!isFilter || before != 0x2f || !(last || (byte == 0x2b && load<u8>(at, 1) == 0x2f))) return false;
    }
    before = byte;
  }
  return high < 0x80 || isUtf8(topic, length);
}
