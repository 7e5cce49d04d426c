// Gives configurations with one fault each, then one without (ABI.md, section 4).

import { ErrorField, Status } from "../../../assembly/abi";
import { configure } from "../../../assembly/client/configure";
import { connectEnd } from "../../../assembly/client/hello";
import { isPresent, setting, Setting } from "../../../assembly/client/settings";
import { address, holds } from "../../../assembly/client/staging";
import { carved, carveFrom, ERROR_RECORD } from "../../../assembly/memory";
import { fresh, putText, textAt } from "../host";

const BLOCK_SIZE: usize = 8192;
const BLOCK: usize = heap.alloc(BLOCK_SIZE);
const ROOM_SIZE: i32 = 2048;
const ROOM = memory.data(2048, 8);

/** Configures with the text at the end of a block. */
function configureFrom(text: usize, length: i32): i32 {
  const at = BLOCK + BLOCK_SIZE - length;
  memory.copy(at, text, length);
  carveFrom(BLOCK);
  return configure(at, length);
}

/** Leaves the error record in the room: value, length of the text, text. */
export function inFresh(length: i32): i32 {
  store<u32>(ERROR_RECORD, 0, ErrorField.TextLength);
  const status = configureFrom(ROOM, length);
  store<i32>(ROOM, load<i32>(ERROR_RECORD, ErrorField.Value));
  const textLength = load<u32>(ERROR_RECORD, ErrorField.TextLength);
  store<u32>(ROOM, textLength, 4);
  memory.copy(ROOM + 8, load<u32>(ERROR_RECORD, ErrorField.Text), textLength);
  return status;
}

/** What an instance of its own answers. */
function given(text: string): i32 {
  return fresh(ROOM, ROOM_SIZE, putText(ROOM, text));
}

function errorValue(): i32 {
  return load<i32>(ROOM);
}

function errorText(): string {
  return textAt(ROOM + 8, load<i32>(ROOM, 4));
}

/** A value outside the range: the bound is the error value. */
function checkBound(key: string, value: string, bound: i32): void {
  expect<i32>(given('{"' + key + '":' + value + "}")).toBe(Status.InvalidValue);
  expect<string>(errorText()).toBe(key);
  expect<i32>(errorValue()).toBe(bound);
}

describe("texts that are no configuration", () => {
  test("another value than an object", () => {
    const others = ["[]", "1", '"mqtt_host"', "null", "true"];
    for (let index = 0; index < others.length; index++) expect<i32>(given(others[index])).toBe(Status.WrongType);
  });
  test("faults of the text", () => {
    expect<i32>(given("")).toBe(Status.MoreBytes);
    expect<i32>(given('{"link":{}')).toBe(Status.MoreBytes);
    expect<i32>(given('{"host":{},}')).toBe(Status.Malformed);
    expect<i32>(given("{} {}")).toBe(Status.Malformed);
    expect<i32>(given('{"tls":{"a":[1,]}}')).toBe(Status.Malformed);
  });
  test("a key that there is not, by its name", () => {
    expect<i32>(given('{"mqtt_hots":"a"}')).toBe(Status.UnknownKey);
    expect<string>(errorText()).toBe("mqtt_hots");
  });
  test("no server", () => {
    expect<i32>(given("{}")).toBe(Status.MissingKey);
    expect<string>(errorText()).toBe("mqtt_host");
  });
});

describe("values of another type", () => {
  test("of every key", () => {
    const texts = ["mqtt_host", "client_id", "user_name", "access_token", "password", "will_topic", "will_payload"];
    const objects = ["tls", "link"];
    const booleans = ["clean_session", "outbox_drop_oldest", "redeliver", "rpc", "shared_attributes", "ignore_missing_features", "will_retain"];
    const numbers = ["mqtt_port", "keep_alive_s", "connect_timeout_s", "ack_timeout_s", "healthy_s", "reconnect_min_ms", "reconnect_max_ms", "qos", "max_inflight", "receive_buffer", "send_buffer", "staging_buffer", "max_requests", "will_qos"];
    const lists = [texts, objects, booleans, numbers];
    const values = ['"64"', "{}", "true", "64", "null", "[]"];
    for (let list = 0; list < 4; list++) {
      for (let index = 0; index < lists[list].length; index++) {
        for (let value = 0; value < values.length; value++) {
          if (value == list) continue;
          expect<i32>(given('{"' + lists[list][index] + '":' + values[value] + "}")).toBe(Status.WrongType);
          expect<string>(errorText()).toBe(lists[list][index]);
        }
      }
    }
  });
});

describe("values outside the range", () => {
  test("both sides of whole numbers", () => {
    checkBound("mqtt_port", "0", 1);
    checkBound("mqtt_port", "65536", 65535);
    checkBound("keep_alive_s", "65536", 65535);
    checkBound("qos", "2", 1);
    checkBound("receive_buffer", "63", 64);
    checkBound("max_requests", "128", 127);
  });
  test("below zero, with a fraction or beyond 32 bits", () => {
    expect<i32>(given('{"keep_alive_s":-1}')).toBe(Status.InvalidValue);
    expect<i32>(given('{"keep_alive_s":1.5}')).toBe(Status.InvalidValue);
    expect<i32>(given('{"keep_alive_s":1e1}')).toBe(Status.InvalidValue);
    expect<i32>(given('{"keep_alive_s":4294967297}')).toBe(Status.InvalidValue);
  });
  test("a text longer than 1023 bytes", () => {
    checkBound("client_id", '"' + "a".repeat(1024) + '"', 1023);
    expect<i32>(given('{"mqtt_host":"h","client_id":"' + "a".repeat(1023) + '"}')).toBe(Status.Ok);
  });
});

describe("keys that belong together", () => {
  test("a key twice, also by its other name", () => {
    expect<i32>(given('{"password":"p","password":"p"}')).toBe(Status.InvalidValue);
    expect<string>(errorText()).toBe("password");
    expect<i32>(given('{"qos":1,"qos":1}')).toBe(Status.InvalidValue);
    expect<i32>(given('{"user_name":"u","access_token":"u"}')).toBe(Status.InvalidValue);
    expect<string>(errorText()).toBe("access_token");
  });
  test("an empty name of the server is none", () => {
    expect<i32>(given('{"mqtt_host":""}')).toBe(Status.MissingKey);
    expect<string>(errorText()).toBe("mqtt_host");
  });
  test("a password without a user name [MQTT-3.1.2-22]", () => {
    expect<i32>(given('{"mqtt_host":"h","password":"p"}')).toBe(Status.MissingKey);
    expect<string>(errorText()).toBe("user_name");
    expect<i32>(given('{"mqtt_host":"h","password":"p","access_token":"u"}')).toBe(Status.Ok);
    expect<i32>(given('{"mqtt_host":"h","user_name":"u"}')).toBe(Status.Ok);
  });
  test("a session that stays without a client id [MQTT-3.1.3-8]", () => {
    expect<i32>(given('{"mqtt_host":"h","clean_session":false}')).toBe(Status.MissingKey);
    expect<string>(errorText()).toBe("client_id");
    expect<i32>(given('{"mqtt_host":"h","clean_session":false,"client_id":""}')).toBe(Status.MissingKey);
    expect<i32>(given('{"mqtt_host":"h","clean_session":false,"client_id":"c"}')).toBe(Status.Ok);
  });
  test("a text that no MQTT packet may hold, by its key", () => {
    expect<i32>(given('{"mqtt_host":"h","client_id":"\\u0000"}')).toBe(Status.InvalidValue);
    expect<string>(errorText()).toBe("client_id");
    const faults = ["\\ud800", "\\u0000", "\\udc00\\ud800"];
    const statuses = [Status.InvalidUtf8, Status.InvalidValue, Status.InvalidUtf8];
    const keys = ["mqtt_host", "client_id", "user_name", "access_token", "password", "will_topic", "will_payload"];
    for (let key = 0; key < keys.length; key++) {
      for (let index = 0; index < faults.length; index++) {
        expect<i32>(given('{"' + keys[key] + '":"a' + faults[index] + '"}')).toBe(statuses[index]);
        expect<string>(errorText()).toBe(keys[key]);
      }
    }
  });
  test("a will topic that is none, also by its escapes", () => {
    const topics = ["a/#", "a/+", "+", "", "a\\u0023", "\\u002b", "x".repeat(1000) + "#"];
    for (let index = 0; index < topics.length; index++) {
      expect<i32>(given('{"mqtt_host":"h","will_topic":"' + topics[index] + '"}')).toBe(Status.InvalidTopic);
      expect<string>(errorText()).toBe("will_topic");
    }
    expect<i32>(given('{"mqtt_host":"h","will_topic":"a\\u002fb"}')).toBe(Status.Ok);
  });
});

describe("a configuration", () => {
  test("is kept", () => {
    expect<i32>(configureFrom(ROOM, putText(ROOM, '{"mqtt_host":"h","client_id":"c","tls":{"ca":"file"},"staging_buffer":100,"receive_buffer":64,"send_buffer":200}'))).toBe(Status.Ok);
    expect<bool>(isPresent(Setting.Tls)).toBe(true);
    expect<i32>(setting(Setting.ReceiveBuffer)).toBe(64);
  });
  test("carves staging area and buffers behind the texts", () => {
    expect<bool>(address() >= connectEnd).toBe(true);
    expect<bool>(holds(address(), 100)).toBe(true);
    expect<bool>(holds(address(), 101)).toBe(false);
    expect<bool>(carved >= address() + 100 + 64 + 200).toBe(true);
    expect<bool>(carved <= address() + 100 + 64 + 200 + 24).toBe(true);
  });
});
