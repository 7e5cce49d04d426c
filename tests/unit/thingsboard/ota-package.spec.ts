// Reads the attributes of packages, compares names that are written in different ways, and keeps the present package (ThingsBoard OTA updates).

import { OtaAlgorithm, Status } from "../../../assembly/abi";
import { setText, Setting } from "../../../assembly/client/settings";
import { lengthAt, valueAt } from "../../../assembly/json/members";
import { carveFrom } from "../../../assembly/memory";
import {
  adopt, algorithm, Attribute, block, blockLength, carvePackage, fingerprint, keepNames, kindsOf, presentLength, presentSpan, presentText, putPlain, readAttributes,
} from "../../../assembly/thingsboard/ota-package";
import { putText, textAt } from "../host";

const BLOCK: usize = heap.alloc(2048);
const DOCUMENT: usize = BLOCK + 1024;

function read(json: string): i32 {
  return readAttributes(DOCUMENT, putText(DOCUMENT, json));
}

function attribute(which: i32): string {
  return textAt(valueAt(which), lengthAt(which));
}

/** What runs, as JSON texts. */
function running(kind: i32, title: string, version: string): void {
  const key = Setting.FirmwareTitle + 2 * kind;
  const at = BLOCK + 1800;
  const length = putText(at, title);
  setText(key, at, length);
  setText(key + 1, at + length, putText(at + length, version));
}

describe("the attributes of a package", () => {
  test("are found wherever they stand, numbers and texts alone", () => {
    carveFrom(BLOCK);
    carvePackage(true);
    expect<i32>(read('{"client":{},"shared":{"fw_size":8193,"fw_url":null,"fw_title":"a\\"b","fw_checksum_algorithm":"SHA256","other":{"x":1},"fw_version":"1.2","fw_checksum":"9f"}}')).toBe(Status.Ok);
    expect<string>(attribute(Attribute.Title)).toBe('a\\"b');
    expect<string>(attribute(Attribute.Version)).toBe("1.2");
    expect<string>(attribute(Attribute.Checksum)).toBe("9f");
    expect<string>(attribute(Attribute.Size)).toBe("8193");
    expect<i32>(lengthAt(Attribute.Url)).toBe(0);
    expect<i32>(algorithm()).toBe(OtaAlgorithm.Sha256);
  });
  test("are forgotten before others are read", () => {
    expect<i32>(read("{}")).toBe(Status.Ok);
    for (let each = 0; each < Attribute.Count; each++) expect<i32>(lengthAt(each)).toBe(0);
  });
  test("a text that is no JSON has the fault that the scanner finds", () => {
    expect<i32>(read('{"shared":')).toBe(Status.MoreBytes);
    expect<i32>(read('{"shared":{]}')).toBe(Status.Malformed);
  });
  test("each algorithm has its number", () => {
    const names = ["MD5", "SHA256", "SHA384", "SHA512", "CRC32", "MURMUR3_32", "MURMUR3_128"];
    for (let each = 0; each < names.length; each++) {
      read('{"sw_checksum_algorithm":"' + names[each] + '"}');
      expect<i32>(algorithm()).toBe(each);
    }
    read('{"sw_checksum_algorithm":"sha256"}');
    expect<i32>(algorithm()).toBe(-1);
  });
});

describe("what runs", () => {
  test("is the package with the same names, however they are written", () => {
    running(0, "R&D", "1.1");
    read('{"fw_title":"R\\u0026D","fw_version":"1.1"}');
    expect<u32>(fingerprint(0)).toBe(0);
    running(1, "R\\u0026D", "1.1");
    expect<u32>(fingerprint(1)).toBe(0);
  });
  test("is not one whose version only begins alike", () => {
    read('{"fw_title":"R&D","fw_version":"1.10"}');
    expect<u32>(fingerprint(0) & 2).toBe(2);
    read('{"fw_title":"R&D","fw_version":"1."}');
    expect<u32>(fingerprint(0) & 2).toBe(2);
    read('{"fw_title":"R","fw_version":"1.1"}');
    expect<u32>(fingerprint(0) & 2).toBe(2);
  });
});

describe("the present package", () => {
  test("has an image name of title, version and checksum, which outlives the document", () => {
    read('{"fw_title":"app","fw_version":"1.2","fw_checksum":"9f"}');
    expect<bool>(adopt()).toBe(true);
    expect<string>(textAt(block, blockLength)).toBe("app\n1.2\n9f\n");
    read("{}");
    expect<string>(textAt(presentText(Attribute.Version), presentLength(Attribute.Version))).toBe("1.2");
    expect<usize>(load<u32>(presentSpan(Attribute.Title))).toBe(block);
  });
  test("may have names of 190 bytes, not of more", () => {
    read('{"fw_title":"' + "t".repeat(100) + '","fw_version":"' + "v".repeat(90) + '"}');
    expect<bool>(adopt()).toBe(true);
    read('{"fw_title":"' + "t".repeat(100) + '","fw_version":"' + "v".repeat(91) + '"}');
    expect<bool>(adopt()).toBe(false);
    read('{"fw_title":"' + "t".repeat(100) + '","fw_checksum":"' + "0".repeat(160) + '"}');
    expect<bool>(adopt()).toBe(false);
  });
  test("becomes what runs", () => {
    read('{"sw_title":"logic","sw_version":"2"}');
    adopt();
    keepNames();
    putPlain(DOCUMENT, 0);
    memory.fill(block, 0x2a, 32);
    read('{"sw_title":"logic","sw_version":"2"}');
    expect<u32>(fingerprint(1)).toBe(0);
  });
  test("and so does the next one, while the texts of what runs stay what they are", () => {
    read('{"sw_title":"LOGIC","sw_version":"10"}');
    adopt();
    read('{"sw_title":"logic","sw_version":"2"}');
    expect<u32>(fingerprint(1)).toBe(0);
    keepNames();
    memory.fill(block, 0x2a, 32);
    read('{"sw_title":"LOGIC","sw_version":"10"}');
    expect<u32>(fingerprint(1)).toBe(0);
  });
});

test("a fingerprint tells where one text ends and the next begins, and is never 1, nor 0 unless a name is missing", () => {
  read('{"fw_title":"ab","fw_version":"c"}');
  const first = fingerprint(0);
  read('{"fw_title":"a","fw_version":"bc"}');
  expect<bool>(fingerprint(0) != first).toBe(true);
  expect<u32>(fingerprint(0) & 2).toBe(2);
  read('{"fw_title":"ab"}');
  expect<u32>(fingerprint(0)).toBe(0);
});

test("an update is about the kinds whose attributes it has or deletes", () => {
  expect<i32>(kindsOf(DOCUMENT, putText(DOCUMENT, '{"rate":1,"fw":2,"my_fw_rate":3}'))).toBe(0);
  expect<i32>(kindsOf(DOCUMENT, putText(DOCUMENT, '{"fw_title":"a"}'))).toBe(1);
  expect<i32>(kindsOf(DOCUMENT, putText(DOCUMENT, '{"deleted":["sw_title"]}'))).toBe(2);
  expect<i32>(kindsOf(DOCUMENT, putText(DOCUMENT, '{"deleted":["sw_title"],"fw_size":1}'))).toBe(3);
});

test("a text of the server is cut and made fit for a JSON string", () => {
  putPlain(DOCUMENT, putText(DOCUMENT, 'NOT "FOUND"\\\n'));
  expect<i32>(-<i32>load<u8>(block, 1)).toBe(Status.RemoteError);
  expect<string>(textAt(block + 2, <i32>load<u8>(block) - 1)).toBe("NOT ");
  putPlain(DOCUMENT, putText(DOCUMENT, "x".repeat(65)));
  expect<i32>(load<u8>(block)).toBe(1 + 64);
});
