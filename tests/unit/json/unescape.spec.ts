// Unescapes every code point of the basic plane and the edges of the others, against AssemblyScript's own UTF-8.

import { Status } from "../../../assembly/abi";
import { at, open, overflowed } from "../../../assembly/base/cursor";
import { putUnescaped, putUnescapedTo } from "../../../assembly/json/unescape";
import { hexAt, putText, textAt } from "../host";

const TEXT = memory.data(256, 8);
const TO = memory.data(256, 8);
const EXPECTED = memory.data(16, 8);

function hex4(value: i32): string {
  return value.toString(16).padStart(4, "0");
}

/** The text without its escapes, or the Status. */
function plain(text: string): string {
  const length = putUnescapedTo(TEXT, putText(TEXT, text), TO, 256);
  return length < 0 ? length.toString() : textAt(TO, length);
}

const INVALID = (<i32>Status.InvalidUtf8).toString();

describe("putUnescapedTo", () => {
  test("text without escapes stays as it is", () => {
    expect<string>(plain("")).toBe("");
    expect<string>(plain("a/b \u00e9\u20ac\ud83d\ude00")).toBe("a/b \u00e9\u20ac\ud83d\ude00");
  });
  test("the escapes of one letter", () => {
    expect<i32>(putUnescapedTo(TEXT, putText(TEXT, '\\"\\\\\\/\\b\\f\\n\\r\\t'), TO, 256)).toBe(8);
    expect<string>(hexAt(TO, 8)).toBe("22 5c 2f 08 0c 0a 0d 09");
  });
  test("every code point of four digits that is no surrogate", () => {
    let wrong = 0;
    for (let code = 0; code <= 0xffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const length = putUnescapedTo(TEXT, putText(TEXT, "\\u" + hex4(code)), TO, 256);
      const expected = putText(EXPECTED, String.fromCharCode(code));
      if (length != expected || memory.compare(TO, EXPECTED, expected)) wrong++;
    }
    expect<i32>(wrong).toBe(0);
  });
  test("digits of either case", () => {
    expect<string>(plain("\\u00E9\\u00e9\\uABCD\\uabcd")).toBe("\u00e9\u00e9\uabcd\uabcd");
  });
  test("pairs, the first and the last of the code points beyond", () => {
    expect<i32>(putUnescapedTo(TEXT, putText(TEXT, "\\ud800\\udc00\\udbff\\udfff\\ud83d\\ude00"), TO, 256)).toBe(12);
    expect<string>(hexAt(TO, 12)).toBe("f0 90 80 80 f4 8f bf bf f0 9f 98 80");
  });
  test("half a pair", () => {
    const texts = ["\\ud800", "\\udbffa", "\\ud800\\n12345", "\\ud800\\u0041", "\\ud800\\ud800", "\\udc00", "\\udfff\\ud800", "\\ud800 \\udc00", "\\ud800\\\\udc00", "\\ud800\\ue000"];
    for (let index = 0; index < texts.length; index++) expect<string>(plain(texts[index])).toBe(INVALID);
  });
  test("half a pair at the end, though memory goes on with the other half", () => {
    putText(TEXT, "\\ud800\\udc00");
    for (let length = 6; length < 12; length += 6) expect<i32>(putUnescapedTo(TEXT, length, TO, 256)).toBe(Status.InvalidUtf8);
  });
  test("U+0000 is text of JSON as any other", () => {
    expect<i32>(putUnescapedTo(TEXT, putText(TEXT, "a\\u0000b"), TO, 256)).toBe(3);
    expect<string>(hexAt(TO, 3)).toBe("61 00 62");
  });
  test("rooms of every size: what does not fit is too large, and nothing is written behind", () => {
    const length = putText(TEXT, "ab\\u20ac\\n\\ud83d\\ude00");
    for (let room = 0; room <= 12; room++) {
      memory.fill(TO, 0xaa, 32);
      expect<i32>(putUnescapedTo(TEXT, length, TO, room)).toBe(room < 10 ? <i32>Status.TooLarge : 10);
      for (let byte = min(room, 10); byte < 16; byte++) {
        if (byte >= room || byte >= 10) expect<u8>(load<u8>(TO + byte)).toBe(0xaa);
      }
    }
  });
});

describe("putUnescaped", () => {
  test("writes at the cursor", () => {
    open(TO, TO + 64);
    expect<i32>(putUnescaped(TEXT, putText(TEXT, "a\\tb"))).toBe(Status.Ok);
    expect<usize>(at).toBe(TO + 3);
    expect<string>(hexAt(TO, 3)).toBe("61 09 62");
  });
  test("no text of MQTT holds U+0000 [MQTT-1.5.3-2]", () => {
    open(TO, TO + 64);
    expect<i32>(putUnescaped(TEXT, putText(TEXT, "a\\u0000"))).toBe(Status.InvalidValue);
  });
  test("half a pair is refused, and what does not fit is counted", () => {
    open(TO, TO + 64);
    expect<i32>(putUnescaped(TEXT, putText(TEXT, "\\udc00"))).toBe(Status.InvalidUtf8);
    open(TO, TO + 2);
    expect<i32>(putUnescaped(TEXT, putText(TEXT, "abc\\u20ac"))).toBe(Status.Ok);
    expect<bool>(overflowed()).toBe(true);
    expect<usize>(at).toBe(TO + 6);
  });
});
