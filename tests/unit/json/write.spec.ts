// Lays out message records as a host does (ABI.md, section 7) and compares the text, or what is refused.

import { JSON_DEPTH_MAX, Member, Status } from "../../../assembly/abi";
import { at, open, overflowed } from "../../../assembly/base/cursor";
import { putMessage, Shape } from "../../../assembly/json/write";
import { putHex, putText, textAt } from "../host";

const RECORD = memory.data(2048, 8);
const TO = memory.data(1024, 8);

let end: usize = 0;

function begin(): void {
  memory.fill(RECORD, 0xee, 2048); // padding may be anything
  end = RECORD;
}

function member(type: i32, key: string, number: i64 = 0, digits: i32 = 0): void {
  store<u8>(end, type);
  store<u8>(end, digits, 1);
  store<i64>(end, number, 4);
  const length = putText(end + 12, key);
  store<u16>(end, length, 2);
  end += 12 + ((length + 3) & ~3);
}

function text(type: i32, key: string, value: string): void {
  const head = end;
  member(type, key);
  const length = putText(end, value);
  store<i64>(head, length, 4);
  end += (length + 3) & ~3;
}

/** The text of the record, or the Status. */
function written(shape: i32 = Shape.Any): string {
  open(TO, TO + 1024);
  const status = putMessage(RECORD, <i32>(end - RECORD), shape);
  return status ? status.toString() : textAt(TO, <i32>(at - TO));
}

function answer(status: i32): string {
  return status.toString();
}

/** A single text as it is written. */
function one(value: string): string {
  begin();
  text(Member.Text, "", value);
  return written();
}

describe("values", () => {
  test("each kind in an object", () => {
    begin();
    member(Member.ObjectBegin, "");
    member(Member.Null, "n");
    member(Member.False, "f");
    member(Member.True, "t");
    member(Member.Integer, "i", -42);
    member(Member.Decimal, "d", 2550, 2);
    text(Member.Text, "text", "x");
    text(Member.Json, "json", '[1, {"a":2}]');
    member(Member.End, "");
    expect<string>(written()).toBe('{"n":null,"f":false,"t":true,"i":-42,"d":25.50,"text":"x","json":[1, {"a":2}]}');
  });
  test("a value alone, whose key is ignored", () => {
    begin();
    member(Member.Integer, "key", i64.MIN_VALUE);
    expect<string>(written()).toBe("-9223372036854775808");
    begin();
    member(Member.Null, "key");
    expect<string>(written()).toBe("null");
  });
  test("objects and arrays inside each other; keys of elements and of End are ignored", () => {
    begin();
    member(Member.ArrayBegin, "key");
    member(Member.ObjectBegin, "key");
    member(Member.ArrayBegin, "a");
    member(Member.End, "key");
    member(Member.ObjectBegin, "b");
    member(Member.End, "");
    member(Member.Integer, "c", 1);
    member(Member.End, "key");
    member(Member.Integer, "key", 2);
    member(Member.Integer, "key", 3);
    member(Member.End, "");
    expect<string>(written()).toBe('[{"a":[],"b":{},"c":1},2,3]');
  });
  test("integers have no digits behind the point, decimals up to 18", () => {
    begin();
    member(Member.Decimal, "", 5, 18);
    expect<string>(written()).toBe("0.000000000000000005");
    begin();
    member(Member.Decimal, "", 5, 19);
    expect<string>(written()).toBe(answer(Status.InvalidNumber));
  });
});

describe("texts", () => {
  test("quotes, backslashes and control characters are escaped, at each place of the step of eight bytes", () => {
    for (let place = 0; place < 20; place++) {
      const before = "a".repeat(place);
      expect<string>(one(before + '"z')).toBe('"' + before + '\\"z"');
      expect<string>(one(before + "\\")).toBe('"' + before + '\\\\"');
      expect<string>(one(before + "\n")).toBe('"' + before + '\\u000a"');
      expect<string>(one(before + "\u00e9\ud83d\ude00")).toBe('"' + before + '\u00e9\ud83d\ude00"');
    }
  });
  test("every byte below 80", () => {
    for (let byte = 0; byte < 0x80; byte++) {
      const plain = String.fromCharCode(byte);
      const escaped = byte < 0x20 ? "\\u00" + byte.toString(16).padStart(2, "0") : byte == 0x22 || byte == 0x5c ? "\\" + plain : plain;
      expect<string>(one(plain)).toBe('"' + escaped + '"');
      expect<string>(one("0123456" + plain + "8")).toBe('"0123456' + escaped + '8"');
    }
  });
  test("keys likewise", () => {
    begin();
    member(Member.ObjectBegin, "");
    member(Member.Null, 'a"b');
    member(Member.Null, "");
    member(Member.Null, "plain key");
    member(Member.End, "");
    expect<string>(written()).toBe('{"a\\"b":null,"":null,"plain key":null}');
  });
  test("what is not UTF-8 in texts, keys and JSON", () => {
    begin();
    text(Member.Text, "", "ab");
    putHex(end - 4, "c328");
    expect<string>(written()).toBe(answer(Status.InvalidUtf8));
    begin();
    member(Member.ObjectBegin, "");
    member(Member.Null, "ab");
    putHex(end - 4, "c080");
    member(Member.End, "");
    expect<string>(written()).toBe(answer(Status.InvalidUtf8));
    begin();
    text(Member.Json, "", '"ab"');
    putHex(end - 3, "eda0");
    expect<string>(written()).toBe(answer(Status.InvalidUtf8));
  });
  test("JSON text that is not valid", () => {
    begin();
    text(Member.Json, "", "[1");
    expect<string>(written()).toBe(answer(Status.MoreBytes));
    begin();
    text(Member.Json, "", "[1,]");
    expect<string>(written()).toBe(answer(Status.Malformed));
    begin();
    text(Member.Json, "", "[".repeat(JSON_DEPTH_MAX + 1));
    expect<string>(written()).toBe(answer(Status.TooDeep));
  });
});

describe("what is not one whole value", () => {
  test("a record that ends too early, at every length", () => {
    begin();
    member(Member.ObjectBegin, "");
    text(Member.Text, "key", "value");
    member(Member.End, "");
    expect<string>(written()).toBe('{"key":"value"}');
    const whole = end;
    for (end = RECORD + 12; end < whole; end += 4) expect<string>(written()).toBe(answer(Status.Malformed));
  });
  test("a second value behind it", () => {
    begin();
    member(Member.Null, "");
    member(Member.Null, "");
    expect<string>(written()).toBe(answer(Status.Malformed));
  });
  test("an End without a beginning, and a type that there is not", () => {
    begin();
    member(Member.End, "");
    const isRefused = written();
    expect<bool>(isRefused.startsWith("-")).toBe(true);
    begin();
    member(Member.End + 1, "");
    expect<string>(written()).toBe(answer(Status.Malformed));
    begin();
    member(255, "");
    expect<string>(written()).toBe(answer(Status.Malformed));
  });
  test("a length of text beyond the record, of any of the 64 bits, and below zero", () => {
    const lengths: i64[] = [5, 0x7fffffff, 0x80000000, 0x100000000, -1, i64.MIN_VALUE];
    for (let index = 0; index < lengths.length; index++) {
      begin();
      text(Member.Text, "", "abcd");
      store<i64>(RECORD, lengths[index], 4);
      expect<string>(written()).toBe(answer(Status.Malformed));
    }
  });
  test("a key beyond the record", () => {
    begin();
    member(Member.Null, "abcd");
    store<u16>(RECORD, 5, 2);
    expect<string>(written()).toBe(answer(Status.Malformed));
    store<u16>(RECORD, 0xffff, 2);
    expect<string>(written()).toBe(answer(Status.Malformed));
  });
  test("nesting as deep as the limit, and one deeper", () => {
    for (let deeper = 0; deeper <= 1; deeper++) {
      begin();
      for (let depth = 0; depth < JSON_DEPTH_MAX + deeper; depth++) member(Member.ArrayBegin, "");
      for (let depth = 0; depth < JSON_DEPTH_MAX + deeper; depth++) member(Member.End, "");
      expect<string>(written()).toBe(deeper ? answer(Status.TooDeep) : "[".repeat(JSON_DEPTH_MAX) + "]".repeat(JSON_DEPTH_MAX));
    }
  });
});

describe("shapes", () => {
  test("which outermost values each takes, laid out or as JSON text", () => {
    const texts = ["null", "true", "1", '"t"', "{}", "[1]", "[]"];
    for (let index = 0; index < texts.length; index++) {
      begin();
      text(Member.Json, "", texts[index]);
      expect<string>(written(Shape.Object)).toBe(index == 4 ? "{}" : answer(Status.InvalidValue));
      expect<string>(written(Shape.List)).toBe(index == 4 || index == 5 ? texts[index] : answer(Status.InvalidValue));
      expect<string>(written(Shape.Any)).toBe(texts[index]);
    }
    begin();
    member(Member.ArrayBegin, "");
    member(Member.End, "");
    expect<string>(written(Shape.List)).toBe(answer(Status.InvalidValue));
    expect<string>(written(Shape.Any)).toBe("[]");
    begin();
    member(Member.ObjectBegin, "");
    member(Member.End, "");
    expect<string>(written(Shape.List)).toBe("{}");
    begin();
    member(Member.Integer, "", 1);
    expect<string>(written(Shape.List)).toBe(answer(Status.InvalidValue));
  });
});

describe("room", () => {
  test("what does not fit is counted and not written behind the room", () => {
    begin();
    member(Member.ObjectBegin, "");
    text(Member.Text, "key", 'a"b');
    member(Member.Decimal, "n", -15, 1);
    member(Member.End, "");
    const expected = '{"key":"a\\"b","n":-1.5}';
    for (let room = 0; room <= expected.length; room++) {
      memory.fill(TO, 0xaa, 64);
      open(TO, TO + room);
      expect<i32>(putMessage(RECORD, <i32>(end - RECORD), Shape.Any)).toBe(Status.Ok);
      expect<usize>(at).toBe(TO + expected.length);
      expect<bool>(overflowed()).toBe(room < expected.length);
      for (let byte = room; byte < 64; byte++) expect<u8>(load<u8>(TO + byte)).toBe(0xaa);
    }
    expect<string>(textAt(TO, expected.length)).toBe(expected);
  });
});
