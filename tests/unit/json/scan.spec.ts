// Reads texts that RFC 8259 allows and texts that it does not, every one of them also cut off at each place.

import { JSON_DEPTH_MAX, Member, Status } from "../../../assembly/abi";
import { from, key, length, nesting, next, open, read, skip, Token, validate } from "../../../assembly/json/scan";
import { putHex, putText, textAt } from "../host";

const TEXT = memory.data(1024, 8);

function begin(text: string): void {
  open(TEXT, putText(TEXT, text));
}

function check(text: string): i32 {
  return validate(TEXT, putText(TEXT, text));
}

/** All tokens of a text as letters, the last one the end or the fault. */
function tokens(text: string): string {
  begin(text);
  let all = "";
  for (let steps = 0; steps < 200; steps++) {
    const token = next();
    if (token < 0) return all + "!" + (-token).toString();
    all += "$nftk\"#{[}]".charAt(token);
    if (!token) return all;
  }
  return "endless";
}

describe("next", () => {
  test("every value on its own", () => {
    expect<string>(tokens("null")).toBe("n$");
    expect<string>(tokens("false")).toBe("f$");
    expect<string>(tokens("true")).toBe("t$");
    expect<string>(tokens('""')).toBe('"$');
    expect<string>(tokens("0")).toBe("#$");
    expect<string>(tokens("{}")).toBe("{}$");
    expect<string>(tokens("[]")).toBe("[]$");
  });
  test("members and elements in their order", () => {
    expect<string>(tokens('{"a":1,"b":[true,null,{"c":"d"}],"e":{}}')).toBe('{k#k[tn{k"}]k{}}$');
    expect<string>(tokens("[[],[[]],{}]")).toBe("[[][[]]{}]$");
  });
  test("the four kinds of space, wherever space may stand", () => {
    expect<string>(tokens(' \t\r\n{ \t"a"\r:\n1 , "b" : [ ] } \t\r\n')).toBe("{k#k[]}$");
  });
  test("no other space", () => {
    expect<string>(tokens("\x0b1")).toBe("!2");
    expect<string>(tokens("[1\x0c]")).toBe("[#!2");
    expect<string>(tokens("\xa01")).toBe("!2");
  });
  test("spans: keys and texts without quotes, still escaped", () => {
    begin('{"k\\n":"v\\"w"}');
    next();
    expect<i32>(next()).toBe(Token.Key);
    expect<string>(textAt(from, length)).toBe("k\\n");
    expect<i32>(next()).toBe(Token.Text);
    expect<string>(textAt(from, length)).toBe('v\\"w');
  });
  test("structure that is wrong", () => {
    const texts = ["[1,]", "[,1]", "[1 2]", '{"a"}', '{"a":}', '{"a":1,}', "{,}", "{1:2}", '{"a" 1}', '{"a":1 "b":2}', "[}", "{]", "]", "}", ",", ":", "[1}", '{"a":1]'];
    for (let index = 0; index < texts.length; index++) expect<i32>(check(texts[index])).toBe(Status.Malformed);
  });
  test("one value only", () => {
    const texts = ["1 2", "{}{}", "null,", "[] ]", '"" ""', "{} x", "1}"];
    for (let index = 0; index < texts.length; index++) expect<i32>(check(texts[index])).toBe(Status.Malformed);
  });
});

describe("numbers", () => {
  test("every form that RFC 8259 has", () => {
    const texts = ["0", "-0", "1", "-1", "10", "1234567890123456789012345678901234567890", "0.0", "-0.5", "1.25", "1e5", "1E5", "1e+5", "1e-5", "0e0", "0E-00", "1.5e300", "-9.99E+99"];
    for (let index = 0; index < texts.length; index++) expect<i32>(check(texts[index])).toBe(Token.Number);
  });
  test("what looks like one", () => {
    const texts = ["01", "-01", "00", "+1", ".5", "1.e5", "1.x", "--1", "-x", "1ex", "1e+x", "1e5.5", "1.2.3", "0x10", "NaN", "Infinity", "-Infinity", "1_000", "1a", "1e++1"];
    for (let index = 0; index < texts.length; index++) expect<i32>(check(texts[index])).toBe(Status.Malformed);
  });
  test("cut off", () => {
    const texts = ["-", "1.", "1e", "1e+", "1E-", "-0."];
    for (let index = 0; index < texts.length; index++) expect<i32>(check(texts[index])).toBe(Status.MoreBytes);
  });
});

describe("words", () => {
  test("every other first letter, and every word that goes wrong", () => {
    let wrong = 0;
    for (let first = 0x21; first < 0x7f; first++) {
      store<u8>(TEXT, first);
      const text = String.fromCharCode(first);
      const starts = '"-0123456789[{nft'.includes(text);
      if (!starts && validate(TEXT, 1) != Status.Malformed) wrong++;
    }
    expect<i32>(wrong).toBe(0);
    const texts = ["nul1", "nulll", "Null", "NULL", "fals ", "falsey", "tru.", "truee", "nrue", "talse", "fll", "undefined"];
    for (let index = 0; index < texts.length; index++) expect<i32>(check(texts[index])).toBe(Status.Malformed);
  });
});

describe("strings", () => {
  test("the eight escapes of one letter and four digits of either case", () => {
    expect<i32>(check('"\\"\\\\\\/\\b\\f\\n\\r\\t"')).toBe(Token.Text);
    expect<i32>(check('"\\u0000\\uAbCd\\uefFF\\u1234\\u5678\\u9999"')).toBe(Token.Text);
  });
  test("every other character behind a backslash", () => {
    let wrong = 0;
    for (let escape = 0; escape < 256; escape++) {
      store<u32>(TEXT, 0x5c22 | (escape << 16) | (0x22 << 24));
      store<u8>(TEXT + 4, 0x22);
      const isEscape = escape < 0x80 && '"\\/bfnrt'.includes(String.fromCharCode(escape));
      const status = validate(TEXT, escape == 0x22 ? 4 : 4);
      if (isEscape != (status == Token.Text)) wrong++;
      if (!isEscape && status != Status.Malformed) wrong++;
    }
    expect<i32>(wrong).toBe(0);
  });
  test("every byte as one of the four digits", () => {
    let wrong = 0;
    for (let place = 0; place < 4; place++) {
      for (let byte = 0; byte < 256; byte++) {
        putText(TEXT, '"\\u0000"');
        store<u8>(TEXT + 3 + place, byte);
        const isDigit = (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
        if (validate(TEXT, 8) != (isDigit ? <i32>Token.Text : <i32>Status.Malformed)) wrong++;
      }
    }
    expect<i32>(wrong).toBe(0);
  });
  test("every byte as it is: control characters are not allowed, bytes above 7F only as UTF-8", () => {
    let wrong = 0;
    for (let byte = 0; byte < 256; byte++) {
      putText(TEXT, '"a"');
      store<u8>(TEXT + 1, byte);
      const status = validate(TEXT, 3);
      if (byte < 0x20 || byte == 0x22) {
        if (status != Status.Malformed) wrong++;
      } else if (byte == 0x5c) {
        if (status != Status.MoreBytes) wrong++;
      } else if (status != (byte < 0x80 ? <i32>Token.Text : <i32>Status.InvalidUtf8)) {
        wrong++;
      }
    }
    expect<i32>(wrong).toBe(0);
  });
  test("every byte at each place of texts up to 19 bytes, wherever the text ends", () => {
    let wrong = 0;
    for (let size = 0; size < 20; size++) {
      for (let place = 0; place < size; place++) {
        for (let byte = 0; byte < 256; byte++) {
          // What stands behind the text would go on with it.
          memory.fill(TEXT, 0x61, 64);
          store<u8>(TEXT, 0x22);
          store<u8>(TEXT + 1 + place, byte);
          store<u8>(TEXT + 1 + size, 0x22);
          // A backslash makes an escape of the next byte: of the letter a, or of the quote that would end the text.
          let expected: i32 = byte < 0x80 ? <i32>Token.Text : <i32>Status.InvalidUtf8;
          if (byte < 0x20 || byte == 0x22) expected = Status.Malformed;
          else if (byte == 0x5c) expected = place + 1 < size ? <i32>Status.Malformed : <i32>Status.MoreBytes;
          if (validate(TEXT, size + 2) != expected) wrong++;
          if (expected == Token.Text && (from != TEXT + 1 || length != size)) wrong++;
          // Without its quote a text that is not wrong goes on.
          if (expected == Token.Text && validate(TEXT, size + 1) != Status.MoreBytes) wrong++;
        }
      }
    }
    expect<i32>(wrong).toBe(0);
  });
  test("UTF-8 of each length, in texts and keys", () => {
    expect<i32>(check('{"\u00e9":"\u20ac\ud83d\ude00"}')).toBe(Token.ObjectBegin);
    expect<i32>(validate(TEXT, putHex(TEXT, "7b 22 c3 28 22 3a 31 7d"))).toBe(Status.InvalidUtf8);
    expect<i32>(validate(TEXT, putHex(TEXT, "22 ed a0 80 22"))).toBe(Status.InvalidUtf8);
  });
});

describe("texts cut off", () => {
  test("at every place of a text that ends with its last byte", () => {
    const text = '{"a\\u00e9":[-1.5e+3,true,false,null,"\\n\u20ac"],"b":{}}';
    const whole = putText(TEXT, text);
    expect<i32>(validate(TEXT, whole)).toBe(Token.ObjectBegin);
    for (let bytes = 0; bytes < whole; bytes++) {
      const status = validate(TEXT, bytes);
      expect<i32>(status).toBe(Status.MoreBytes);
    }
  });
});

describe("nesting", () => {
  test("as deep as the limit, and one deeper", () => {
    const openings = ["[", '{"a":'];
    for (let kind = 0; kind < 2; kind++) {
      const close = kind ? "}" : "]";
      const innermost = kind ? "1" : "";
      const deep = openings[kind].repeat(JSON_DEPTH_MAX) + innermost + close.repeat(JSON_DEPTH_MAX);
      expect<i32>(check(deep)).toBe(kind ? Token.ObjectBegin : Token.ArrayBegin);
      expect<i32>(check(openings[kind].repeat(JSON_DEPTH_MAX + 1))).toBe(Status.TooDeep);
    }
    // The limit is on what is open, not on how often something was opened.
    expect<i32>(check("[" + "[],".repeat(100) + "0]")).toBe(Token.ArrayBegin);
  });
});

describe("skip", () => {
  test("the span is the whole value, of a string what is between its quotes", () => {
    begin('[ {"a":[1]} , "t" , -2.5 ,null]');
    next();
    expect<i32>(skip()).toBe(Token.ObjectBegin);
    expect<string>(textAt(from, length)).toBe('{"a":[1]}');
    expect<i32>(skip()).toBe(Token.Text);
    expect<string>(textAt(from, length)).toBe("t");
    expect<i32>(skip()).toBe(Token.Number);
    expect<string>(textAt(from, length)).toBe("-2.5");
    expect<i32>(skip()).toBe(Token.Null);
    expect<string>(textAt(from, length)).toBe("null");
    expect<i32>(skip()).toBe(Token.ArrayEnd);
    expect<i32>(skip()).toBe(Token.End);
  });
  test("passes the value of a key and stops at the end of its object", () => {
    begin('{"a":{"b":1}}');
    next();
    expect<i32>(next()).toBe(Token.Key);
    expect<i32>(skip()).toBe(Token.ObjectBegin);
    expect<i32>(next()).toBe(Token.ObjectEnd);
    expect<i32>(next()).toBe(Token.End);
  });
  test("passes a member with its key", () => {
    begin('{ "a" : {"b":[1]} , "c":"d"}');
    next();
    expect<i32>(skip()).toBe(Token.ObjectBegin);
    expect<string>(textAt(key, 2)).toBe('a"');
    expect<string>(textAt(from, length)).toBe('{"b":[1]}');
    expect<i32>(skip()).toBe(Token.Text);
    expect<string>(textAt(key, 2)).toBe('c"');
    expect<string>(textAt(from, length)).toBe("d");
    expect<i32>(skip()).toBe(Token.ObjectEnd);
    expect<i32>(skip()).toBe(Token.End);
    begin('{"a"');
    next();
    expect<i32>(skip()).toBe(Status.MoreBytes);
    begin('{"a"}');
    next();
    expect<i32>(skip()).toBe(Status.Malformed);
  });
  test("a fault inside the value is the result", () => {
    begin('[{"a":tru]');
    next();
    expect<i32>(skip()).toBe(Status.Malformed);
    begin("[[1");
    next();
    expect<i32>(skip()).toBe(Status.MoreBytes);
  });
});

describe("read", () => {
  const OBJECT: u64 = 2;
  test("the members of the outermost object from its first byte on", () => {
    begin(' {"a":{"b":{}},"c":[[]]} ');
    expect<i32>(read(OBJECT)).toBe(Token.ObjectBegin);
    expect<string>(textAt(key, 2)).toBe('a"');
    expect<string>(textAt(from, length)).toBe('{"b":{}}');
    expect<u64>(nesting).toBe(OBJECT);
    expect<i32>(read(OBJECT)).toBe(Token.ArrayBegin);
    expect<string>(textAt(key, 2)).toBe('c"');
    expect<string>(textAt(from, length)).toBe("[[]]");
    expect<i32>(read(OBJECT)).toBe(Token.ObjectEnd);
    expect<i32>(read(OBJECT)).toBe(Token.End);
    begin("{}");
    expect<i32>(read(OBJECT)).toBe(Token.ObjectEnd);
    expect<i32>(read(OBJECT)).toBe(Token.End);
  });
  test("any other value whole", () => {
    begin("[[1],{}]");
    expect<i32>(read(OBJECT)).toBe(Token.ArrayBegin);
    expect<string>(textAt(from, length)).toBe("[[1],{}]");
    expect<u64>(nesting).toBe(1);
    expect<i32>(read(OBJECT)).toBe(Token.End);
    begin('"t"');
    expect<i32>(read(OBJECT)).toBe(Token.Text);
    expect<string>(textAt(from, length)).toBe("t");
    expect<i32>(read(OBJECT)).toBe(Token.End);
  });
});

describe("validate", () => {
  test("tells the empty array, which is called as the End that it holds, from any other", () => {
    expect<i32>(check("[]")).toBe(Member.End);
    expect<i32>(check(" [ ] ")).toBe(Member.End);
    expect<i32>(check("[1]")).toBe(Member.ArrayBegin);
    expect<i32>(check("[[]]")).toBe(Member.ArrayBegin);
    expect<i32>(check("[[],[]]")).toBe(Member.ArrayBegin);
    expect<i32>(check("{}")).toBe(Member.ObjectBegin);
  });
});
