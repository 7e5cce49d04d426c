// Builds CONNECT packets (MQTT 3.1.1, 3.1) that grow by one field after the other, and compares them byte for byte.

import { Status } from "../../../assembly/abi";
import { open } from "../../../assembly/base/cursor";
import { build, buildFirst, connectEnd, connectPacket, serverName, serverNameLength } from "../../../assembly/client/hello";
import { present, setPresent, setSetting, setText, Setting } from "../../../assembly/client/settings";
import { carved, carveFrom } from "../../../assembly/memory";
import { hexAt, putText, textAt } from "../host";

const BLOCK_SIZE: usize = 2048;
const BLOCK: usize = heap.alloc(BLOCK_SIZE);
const TEXTS: usize = heap.alloc(2048);

let texts: usize = TEXTS;

/** What configure does with a text. */
function set(key: i32, text: string): void {
  const length = putText(texts, text);
  setText(key, texts, length);
  setPresent(present | (1 << key)); // an empty text, too
  texts += length;
}

function buildAll(): void {
  carveFrom(BLOCK);
  open(BLOCK, BLOCK + BLOCK_SIZE);
  buildFirst(0);
}

function packet(): string {
  buildAll();
  return hexAt(connectPacket, <i32>(connectEnd - connectPacket));
}

describe("build", () => {
  test("the least: an empty client id, a clean session, 60 seconds [MQTT-3.1.3-7]", () => {
    set(Setting.MqttHost, "broker.test");
    expect<string>(packet()).toBe("10 0c 00 04 4d 51 54 54 04 02 00 3c 00 00");
  });
  test("the name of the server stands apart", () => {
    expect<string>(textAt(serverName(), serverNameLength())).toBe("broker.test");
    expect<bool>(serverName() + serverNameLength() <= connectPacket).toBe(true);
    expect<bool>(carved >= connectEnd).toBe(true);
  });
  test("another keep alive, a session that stays, a client id [MQTT-3.1.3-3]", () => {
    setSetting(Setting.KeepAliveS, 0x1234);
    setSetting(Setting.CleanSession, 0);
    set(Setting.ClientId, "m\\u00e9");
    expect<string>(packet()).toBe("10 0f 00 04 4d 51 54 54 04 00 12 34 00 03 6d c3 a9");
    setSetting(Setting.CleanSession, 1);
    setSetting(Setting.KeepAliveS, 0);
  });
  test("a user name, then a password behind it [MQTT-3.1.3-11]", () => {
    set(Setting.ClientId, "m");
    set(Setting.UserName, "u");
    expect<string>(packet()).toBe("10 10 00 04 4d 51 54 54 04 82 00 00 00 01 6d 00 01 75");
    set(Setting.Password, "pw");
    expect<string>(packet()).toBe("10 14 00 04 4d 51 54 54 04 c2 00 00 00 01 6d 00 01 75 00 02 70 77");
  });
  test("a will stands between client id and user name [MQTT-3.1.3-1]; without a payload it has an empty one", () => {
    set(Setting.WillTopic, "w");
    expect<string>(packet()).toBe("10 19 00 04 4d 51 54 54 04 c6 00 00 00 01 6d 00 01 77 00 00 00 01 75 00 02 70 77");
    set(Setting.WillPayload, "off");
    setSetting(Setting.WillQos, 1);
    setSetting(Setting.WillRetain, 1);
    expect<string>(packet()).toBe("10 1c 00 04 4d 51 54 54 04 ee 00 00 00 01 6d 00 01 77 00 03 6f 66 66 00 01 75 00 02 70 77");
  });
  test("a body of 128 bytes and more has two length bytes", () => {
    set(Setting.WillPayload, "x".repeat(102)); // 25 + 102 = 127
    expect<string>(packet().substr(0, 8)).toBe("10 7f 00");
    set(Setting.WillPayload, "x".repeat(103));
    expect<string>(packet().substr(0, 11)).toBe("10 80 01 00");
    expect<usize>(connectEnd - connectPacket).toBe(128 + 3);
  });
  test("what cannot be sent is told when it is built again", () => {
    expect<i32>(build()).toBe(Status.Ok);
    set(Setting.ClientId, "\\ud800");
    expect<i32>(build()).toBe(Status.InvalidUtf8);
    set(Setting.ClientId, "\\u0000");
    expect<i32>(build()).toBe(Status.InvalidValue);
    set(Setting.ClientId, "m");
    expect<i32>(build()).toBe(Status.Ok);
  });
  test("without room nothing is written behind the end, and the bytes needed are carved", () => {
    buildAll();
    const needed = carved;
    for (let room: usize = 0; room < 48; room++) {
      memory.fill(BLOCK, 0xaa, 256);
      carveFrom(BLOCK);
      open(BLOCK, BLOCK + room);
      buildFirst(0);
      expect<usize>(carved).toBe(needed);
      for (let byte = room; byte < 64; byte++) if (byte < needed - BLOCK) expect<u8>(load<u8>(BLOCK + byte)).toBe(0xaa);
    }
  });
});
