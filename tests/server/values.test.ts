// Values: the type cast, the printing of Java's doubles, and JSON strict and lenient (spec 2.1, 2.5, 11.14).

import assert from "node:assert/strict";
import { parseJson, parseLenientJson, printJson } from "../../host/server/json.ts";
import { test } from "./harness.ts";
import { castDeviceMember, printDouble, valueText } from "../../host/server/values.ts";

function cast(json: string): string {
  const value = castDeviceMember(parseLenientJson(json));
  return value === null ? "skipped" : `${value.type} ${valueText(value)}`;
}

test("members are cast as the server casts them", () => {
  const cases: [json: string, stored: string][] = [
    ['"25"', "long 25"],
    ['"007"', "long 7"],
    ['"1.50"', "double 1.5"],
    ['".5"', "double 0.5"],
    ['"1e5"', "string 1e5"],
    ['"-3"', "long -3"],
    ['"+3"', "string +3"],
    ['"5."', "string 5."],
    ['""', "string "],
    ['"-"', "string -"],
    ["true", "boolean true"],
    ["null", "skipped"],
    ['{"a":[1, 2.50, "x"]}', 'json {"a":[1,2.50,"x"]}'],
    ["[]", "json []"],
    ["1", "long 1"],
    ["1e3", "long 1000"],
    ["1.5e3", "long 1500"],
    ["1.5e0", "double 1.5"],
    ["42.0", "double 42.0"],
    ["-0.0", "double 0.0"],
    ["9223372036854775807", "long 9223372036854775807"],
    ["-9223372036854775808", "long -9223372036854775808"],
    ["9223372036854775808", "string 9223372036854775808"],
    ["1e19", "string 10000000000000000000"],
    ["9007199254740993", "long 9007199254740993"],
    ['"9007199254740993"', "long 9007199254740993"],
    ["20000000.0", "long 20000000"],
    ["9999999.0", "double 9999999.0"],
    ["12345678.5", "double 1.23456785E7"],
    ["0.1234567890123456", "double 0.1234567890123456"],
    ["0.30000000000000004", "string 0.30000000000000004"],
    ["1e-5", "double 1.0E-5"],
    ["1e-17", "string 0.00000000000000001"],
    ["-1.0e-17", "string -0.000000000000000010"],
    ["-1e-17", "string -0.00000000000000001"],
    ["0e-20", "long 0"],
    ["0.00000000000000000", "string 0.00000000000000000"],
    ["-0", "long 0"],
    ['"-0"', "long 0"],
    ["-0e5", "long 0"],
    ["100e-2", "long 1"],
    ["150e-2", "double 1.5"],
    ["-12.50e1", "long -125"],
    ["-9223372036854775809", "string -9223372036854775809"],
    ["1e25", "string 10000000000000000000000000"],
    ["123456789012345678901234567890.5", "string 123456789012345680000000000000"],
    ["NaN", "string NaN"],
    ["'it''s'", "fails"],
    ["1e99999", "fails"],
  ];
  for (const [json, stored] of cases) {
    if (stored === "fails") assert.throws(() => cast(json), Error, json);
    else assert.equal(cast(json), stored, json);
  }
});

test("doubles are printed as Java prints them", () => {
  const cases: [number, string][] = [
    [0, "0.0"],
    [1, "1.0"],
    [-21.5, "-21.5"],
    [100, "100.0"],
    [0.001, "0.001"],
    [0.00099, "9.9E-4"],
    [9999999, "9999999.0"],
    [1e7, "1.0E7"],
    [1.25e-5, "1.25E-5"],
    [1.7976931348623157e308, "1.7976931348623157E308"],
    [123456.789, "123456.789"],
  ];
  for (const [value, text] of cases) assert.equal(printDouble(value), text);
});

test("JSON keeps order, digits and odd names; strict and lenient differ where Gson does", () => {
  for (const text of ['{"2":1,"1":[1.50,1e3],"__proto__":null,"é\\n":"\\u2028"}', "[]", '"\\\\"', "-0"]) {
    assert.equal(printJson(parseJson(text)), text);
  }
  for (const [text, printed] of [["[ ]", "[]"], ["{ }", "{}"], [" [ 1 , { \"a\" : 2 } ]\r\n\t", '[1,{"a":2}]']] as const) {
    assert.deepEqual([printJson(parseJson(text)), printJson(parseLenientJson(text))], [printed, printed]);
  }
  const lenient: [string, string][] = [
    ["{'a':1}", '{"a":1}'],
    ["{a:b}", '{"a":"b"}'],
    ["{a=1;b=>2}", '{"a":1,"b":2}'],
    ["[1,,2,]", "[1,null,2,null]"],
    ["/* x */ [1] # y", "[1]"],
    ["\ufeff{}", "{}"],
    ["TRUE", "true"],
    ["01", '"01"'],
  ];
  for (const [text, printed] of lenient) {
    assert.equal(printJson(parseLenientJson(text)), printed, text);
    assert.throws(() => parseJson(text), Error, text);
  }
  for (const text of ["", "{", "[", '"', "{}}", '{"a"}', '{"a":}', '"\\x"', '"\\u12g4"', "[1 2]", "[".repeat(300) + "]".repeat(300)]) {
    assert.throws(() => parseLenientJson(text), Error, text);
    assert.throws(() => parseJson(text), Error, text);
  }
});

test("a packet full of the widest numbers is read in no time", () => {
  for (const number of ["1e9999", "1e-9999", "-9.9e9998"]) {
    const members = Array.from({ length: 1000 }, (_, index) => `"${index}":${number}`);
    const startedAtMs = performance.now();
    const object = parseLenientJson(`{${members.join(",")}}`);
    assert.ok(object instanceof Map);
    for (const value of object.values()) castDeviceMember(value);
    // A tenth of a second as a rule; with arithmetic on such numbers it was half a minute.
    assert.ok(performance.now() - startedAtMs < 5000, number);
  }
});
