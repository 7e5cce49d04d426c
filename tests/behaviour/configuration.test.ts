// Invalid configurations are refused by status and key, the same on every engine; what is left out has its default on the wire.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Feature } from "../../build/generated/abi.ts";
import { Authority } from "../node/certificates.ts";
import { BareBroker } from "./bare-broker.ts";
import { Driver, ENGINES } from "./driver.ts";
import { behaviour } from "./harness.ts";

type Case = readonly [json: string, status: string, key: string, value?: number];

/** A configuration with these members behind the required one. */
const withHost = (members: string): string => `{"mqtt_host":"h",${members}}`;

const CASES: readonly Case[] = [
  ["{}", "MissingKey", "mqtt_host"],
  ['{"client_id":"a"}', "MissingKey", "mqtt_host"],
  [withHost('"password":"p"'), "MissingKey", "user_name"],
  [withHost('"clean_session":false'), "MissingKey", "client_id"],
  [withHost('"mqtt_hots":"i"'), "UnknownKey", "mqtt_hots"],
  [withHost('"QOS":1'), "UnknownKey", "QOS"],
  // A key is compared as it is written, so one with an escape is none; also beside what the host keeps for itself.
  [withHost('"\\u0071os":1'), "UnknownKey", "\\u0071os"],
  [withHost('"\\u0071os":1,"host":{"mine":1}'), "UnknownKey", "\\u0071os"],
  [withHost('"ho\\u0073t":{"mine":1}'), "UnknownKey", "ho\\u0073t"],
  [withHost('"qos":1,"link":{"qos":0},"qos":0'), "InvalidValue", "qos"],
  [withHost('"link":{},"link":{}'), "InvalidValue", "link"],
  [withHost('"mqtt_port":1e3,"host":{}'), "InvalidValue", "mqtt_port"],
  ['{"mqtt_host":5}', "WrongType", "mqtt_host"],
  ['{"mqtt_host":null}', "WrongType", "mqtt_host"],
  [withHost('"mqtt_port":"1883"'), "WrongType", "mqtt_port"],
  [withHost('"clean_session":1'), "WrongType", "clean_session"],
  [withHost('"link":[]'), "WrongType", "link"],
  [withHost('"rpc":"true"'), "WrongType", "rpc"],
  [withHost('"mqtt_port":0'), "InvalidValue", "mqtt_port", 1],
  [withHost('"mqtt_port":65536'), "InvalidValue", "mqtt_port", 65535],
  [withHost('"mqtt_port":-1'), "InvalidValue", "mqtt_port", 1],
  [withHost('"mqtt_port":1883.5'), "InvalidValue", "mqtt_port"],
  [withHost('"keep_alive_s":65536'), "InvalidValue", "keep_alive_s", 65535],
  [withHost('"ack_timeout_s":0'), "InvalidValue", "ack_timeout_s", 1],
  [withHost('"connect_timeout_s":4096'), "InvalidValue", "connect_timeout_s", 4095],
  [withHost('"healthy_s":0'), "InvalidValue", "healthy_s", 1],
  [withHost('"reconnect_min_ms":0'), "InvalidValue", "reconnect_min_ms", 1],
  [withHost('"reconnect_max_ms":134217728'), "InvalidValue", "reconnect_max_ms", 134217727],
  [withHost('"qos":2'), "InvalidValue", "qos", 1],
  [withHost('"max_inflight":0'), "InvalidValue", "max_inflight", 1],
  [withHost('"max_requests":128'), "InvalidValue", "max_requests", 127],
  [withHost('"receive_buffer":63'), "InvalidValue", "receive_buffer", 64],
  [withHost('"send_buffer":1048576'), "InvalidValue", "send_buffer", 1048575],
  [withHost('"staging_buffer":63'), "InvalidValue", "staging_buffer", 64],
  [withHost('"will_topic":"a/#"'), "InvalidTopic", "will_topic"],
  [withHost(`"client_id":"${"x".repeat(1024)}"`), "InvalidValue", "client_id", 1023],
  [withHost('"client_id":"a","client_id":"b"'), "InvalidValue", "client_id"],
  [withHost('"user_name":"a","access_token":"b"'), "InvalidValue", "access_token"],
  [withHost('"client_id":"\\ud800"'), "InvalidUtf8", "client_id"],
];

/** What stands in an object of the host, and is its to refuse. Behind the key there may be more. */
const HOST_CASES: readonly Case[] = [
  [withHost('"tls":{"ca":"\\ud83d"}'), "InvalidUtf8", "tls.ca"],
  [withHost('"tls":{"ca":"a\\ude00\\ud83d.pem"}'), "InvalidUtf8", "tls.ca"],
  [withHost('"tls":{"server_name":"\\ude00x"}'), "InvalidUtf8", "tls.server_name"],
  [withHost('"tls":{"ca":"\\ud83d\\ude00.pem"}'), "InvalidValue", "tls.ca"], // read, but there is no such file
  [withHost('"tls":{"ca":"a\\u0000b"}'), "InvalidValue", "tls.ca"],
  [withHost('"tls":{"ca":""}'), "InvalidValue", "tls.ca"],
  [withHost('"tls":{"server_name":""}'), "InvalidValue", "tls.server_name"],
  [withHost('"tls":{"ca":1}'), "WrongType", "tls.ca"],
  [withHost('"tls":{"\\u0063a":1}'), "WrongType", "tls.ca"],
  [withHost('"tls":{"ca":1,"ca":"\\ud83d"}'), "InvalidUtf8", "tls.ca"],
  [withHost('"tls":{"verify":1}'), "WrongType", "tls.verify"],
  [withHost('"tls":{"verify":true,"verify":"no"}'), "WrongType", "tls.verify"],
  [withHost('"tls":{"time_wait_s":"60"}'), "WrongType", "tls.time_wait_s"],
  [withHost('"tls":{"time_wait_s":-1}'), "InvalidValue", "tls.time_wait_s"],
  [withHost('"tls":{"time_wait_s":1.5}'), "InvalidValue", "tls.time_wait_s"],
  [withHost('"tls":{"time_wait_s":4096}'), "InvalidValue", "tls.time_wait_s"],
  [withHost('"tls":{"cafile":"ca.pem"}'), "UnknownKey", "tls.cafile"],
  [withHost('"tls":5'), "WrongType", "tls"],
];

for (const [json, status, key] of HOST_CASES) {
  test(`${json.slice(0, 60)} is ${status} ${key} for every host`, async (t) => {
    for (const engine of ENGINES) {
      const driver = new Driver(t, engine);
      const answer = await driver.ask("init", json);
      assert.deepEqual([answer.status, answer.text?.split(":")[0]], [status, key], `${engine}: ${JSON.stringify(answer)}`);
    }
  });
}

for (const [json, status, key, value] of CASES) {
  test(`${json.slice(0, 60)} is ${status} ${key} on every engine`, async (t) => {
    for (const engine of ENGINES) {
      const driver = new Driver(t, engine);
      const answer = await driver.ask("init", json);
      assert.deepEqual([answer.status, answer.text], [status, key], `${engine}: ${JSON.stringify(answer)}`);
      if (value !== undefined) assert.equal(answer.value, value, `the bound on ${engine}`);
      assert.equal((await driver.ask("start")).status, "BadState", `${engine} is not built`);
    }
  });
}

behaviour("configuration", (check) => {
  check("what is no JSON object is refused before any key is looked at", async (t, engine) => {
    const driver = new Driver(t, engine);
    for (const json of ["[]", "5"]) assert.equal((await driver.ask("init", json)).status, "WrongType", json);
    // Node parses before the module does, and its parser does not tell an early end from other faults.
    for (const json of ["", '{"mqtt_host":"h"', '{"mqtt_host" "h"}', '{"mqtt_host":"h",}', '{"mqtt_host":"h"} x']) {
      assert.match((await driver.ask("init", json)).status, /^(Malformed|MoreBytes)$/, json);
    }
  });

  check("after a refusal the right configuration is taken, and only once", async (t, engine) => {
    const driver = new Driver(t, engine);
    assert.equal((await driver.ask("init", '{"mqtt_host":"h","qos":7}')).status, "InvalidValue");
    assert.equal((await driver.ask("init", '{"mqtt_host":"h","qos":1}')).status, "Ok");
    assert.equal((await driver.ask("init", '{"mqtt_host":"h","qos":1}')).status, "BadState");
  });

  check("buffers that do not fit the memory are TooLarge, with the bytes that would do", async (t, engine) => {
    const tight = '{"mqtt_host":"127.0.0.1","send_buffer":20000,"receive_buffer":20000}';
    const driver = new Driver(t, engine);
    const answer = await driver.ask("init", tight, 16_384);
    assert.equal(answer.status, "TooLarge");
    assert.ok(answer.value! > 40_000 && answer.value! < 50_000, `${answer.value} bytes needed`);
    assert.equal((await driver.ask("init", tight, answer.value! + 64)).status, "Ok", "with that much it fits");
  });

  check("a file may be named with characters that JSON writes as pairs of escapes", async (t, engine) => {
    const authority = new Authority();
    t.after(() => authority.remove());
    const file = join(authority.folder, "\u{1f600}.pem");
    writeFileSync(file, authority.ca);
    const driver = new Driver(t, engine);
    const json = JSON.stringify({ mqtt_host: "h", tls: { ca: file } }).replace("\u{1f600}", "\\ud83d\\ude00");
    assert.match(json, /ud83d/);
    await driver.run("init", json);
  });

  check("CONNECT says what is configured, and the defaults", Feature.Raw, async (t, engine) => {
    const broker = await BareBroker.open(t);
    const driver = new Driver(t, engine);
    await driver.run("init", JSON.stringify({
      mqtt_host: "localhost", mqtt_port: broker.port, client_id: "é1", user_name: "u", password: "p", clean_session: false, keep_alive_s: 7, session_limits: false,
      will_topic: "last/will", will_payload: "gone", will_qos: 1, will_retain: true, host: { mine: [1] }, link: {},
    }));
    await driver.run("start");
    const connect = await (await broker.link(1)).packet("connect");
    assert.deepEqual([connect.protocolId, connect.protocolVersion, connect.clientId, connect.username, connect.password?.toString(), connect.clean, connect.keepalive],
      ["MQTT", 4, "é1", "u", "p", false, 7]);
    assert.deepEqual([connect.will!.topic, connect.will!.payload.toString(), connect.will!.qos, connect.will!.retain], ["last/will", "gone", 1, true]);
    await driver.run("stop");

    const plain = new Driver(t, engine);
    await plain.run("init", JSON.stringify({ mqtt_host: "127.0.0.1", mqtt_port: broker.port, password: undefined, session_limits: false }));
    await plain.run("start");
    const link = await broker.link(2);
    const defaults = await link.packet("connect");
    assert.deepEqual([defaults.clientId, defaults.clean, defaults.keepalive, defaults.username, defaults.will], ["", true, 60, undefined, undefined]);
    await link.packet("subscribe", 3);
    await plain.run("telemetry", '{"a":1}');
    assert.equal((await link.packet("publish")).qos, 1);
  });
});
