// Walks through every text of up to five characters of an alphabet that has all that matters in topics.

import { isTopicName } from "../../../assembly/mqtt/topic";

const TEXT = memory.data(8);
const ALPHABET: u8[] = [0x61, 0x2f, 0x2b, 0x23, 0x00];

function isName(length: i32): bool {
  for (let at = 0; at < length; at++) {
    const byte = load<u8>(TEXT + at);
    if (byte == 0 || byte == 0x2b || byte == 0x23) return false;
  }
  return length > 0;
}

/** By levels, as MQTT 3.1.1 words it in section 4.7.1. */
function isFilter(length: i32): bool {
  let levelStart = 0;
  for (let at = 0; at <= length; at++) {
    if (at < length && load<u8>(TEXT + at) != 0x2f) continue;
    const levelLength = at - levelStart;
    for (let inner = levelStart; inner < at; inner++) {
      const byte = load<u8>(TEXT + inner);
      if (byte == 0) return false;
      if (byte == 0x2b && levelLength != 1) return false;
      if (byte == 0x23 && (levelLength != 1 || at != length)) return false;
    }
    levelStart = at + 1;
  }
  return length > 0;
}

function differences(wantsFilter: bool): i32 {
  let count = 0;
  for (let length = 0; length <= 5; length++) {
    let texts = 1;
    for (let each = 0; each < length; each++) texts *= ALPHABET.length;
    for (let number = 0; number < texts; number++) {
      let rest = number;
      for (let at = 0; at < length; at++) {
        store<u8>(TEXT + at, ALPHABET[rest % ALPHABET.length]);
        rest /= ALPHABET.length;
      }
      const expected = wantsFilter ? isFilter(length) : isName(length);
      if (isTopicName(TEXT, length, wantsFilter) != expected) count++;
    }
  }
  return count;
}

describe("isTopicName", () => {
  test("names have a character and no wildcard [MQTT-4.7.3-1] [MQTT-3.3.2-2]", () => {
    expect<i32>(differences(false)).toBe(0);
  });
  test("filters have wildcards in levels of their own [MQTT-4.7.1-2] [MQTT-4.7.1-3]", () => {
    expect<i32>(differences(true)).toBe(0);
  });
  test("bytes that are not UTF-8 are no topic [MQTT-1.5.3-1]", () => {
    store<u8>(TEXT, 0xff);
    expect<bool>(isTopicName(TEXT, 1, false)).toBe(false);
    expect<bool>(isTopicName(TEXT, 1, true)).toBe(false);
  });
});
