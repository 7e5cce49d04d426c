// The same script makes the same bytes: what a plain TCP server receives from each engine is compared packet by packet and byte by byte.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import mqttPacket, { type Packet } from "mqtt-packet";
import { BareBroker } from "./bare-broker.ts";
import { Driver, ENGINES, type Engine } from "./driver.ts";
import { PATIENCE_MS } from "./watch.ts";

interface Recording {
  readonly packets: Packet[][];
  readonly bytes: Buffer[];
  /** What the client told, without what depends on the moment. */
  readonly events: string[];
}

/**
 * Each step waits until its packets have arrived, so that only the client decides on their order. No keep-alive: its
 * packets come by the clock.
 */
async function record(t: TestContext, engine: Engine): Promise<Recording> {
  const broker = await BareBroker.open(t);
  const driver = new Driver(t, engine);
  await driver.run("init", JSON.stringify({
    mqtt_host: "127.0.0.1", mqtt_port: broker.port, client_id: "trace é", user_name: "user", password: "secret", keep_alive_s: 0, session_limits: false,
    will_topic: "will", will_payload: "gone", will_qos: 1, clean_session: false, receive_buffer: 256, staging_buffer: 1024, send_buffer: 4096,
    reconnect_min_ms: 1, reconnect_max_ms: 5,
  }));
  await driver.run("start");
  const first = await broker.link(1);
  await driver.until("the platform's subscriptions", () => driver.of("Subscribed").length === 3);

  await driver.run("begin");
  await driver.run("add_integer", "min", "-9223372036854775808");
  await driver.run("add_decimal", "decimal", -5, 3);
  await driver.run("add_double", "double", "0.125", 2);
  await driver.run("add_text", "text", 'control \x01\t\n quote " slash / back \\ é 😀 \u2028');
  await driver.run("array_begin", "list");
  await driver.run("add_null", "");
  await driver.run("add_boolean", "", "false");
  await driver.run("object_begin", "");
  await driver.run("object_end");
  await driver.run("array_end");
  await driver.run("send_telemetry", 1);
  await driver.event("Delivered");
  await driver.run("begin");
  for (const ts of [0, 1_700_000_000_000]) {
    await driver.run("timestamp", ts);
    await driver.run("add_json", "raw", ' { "a" : [ 1.50 , 1e3 ] } ');
  }
  await driver.run("send_telemetry", 0);
  await first.packet("publish", 2);
  await driver.run("attributes", '{"b":true}', 1, 1);
  await driver.event("Delivered");

  first.send({ cmd: "publish", topic: "v1/devices/me/rpc/request/77", payload: '{"method":"m","params":{"p":[1]}}', qos: 1, messageId: 900, dup: false, retain: false });
  const request = await driver.event("RpcRequest");
  await first.packet("puback");
  await driver.run("rpc_reply", request.id, '{"r":1}', 1);
  await driver.event("Delivered");
  const id = await driver.run("request_attributes", "a,b", "c", 15_000);
  await first.packet("publish", 5);
  first.send({ cmd: "publish", topic: `v1/devices/me/attributes/response/${id}`, payload: '{"client":{"a":1}}', qos: 0, dup: false, retain: false });
  await driver.event("AttributesResponse");
  await driver.event("Delivered");

  await driver.run("subscribe", "raw/+/é", 1);
  await driver.event("Subscribed", ({ topic }) => topic === "raw/+/é");
  first.answers.publish = false;
  await driver.run("publish", "raw/out", Buffer.from([0, 1, 0xff, 0x80, 10]), 1);
  await driver.run("publish", "raw/long", "l".repeat(300), 1);
  await first.packet("publish", 7);
  first.socket.end();

  const second = await broker.link(2);
  await driver.until("all to be delivered", () => driver.of("Delivered").length === 6);
  second.send({ cmd: "publish", topic: "raw/in/é", payload: "p".repeat(2000), qos: 1, messageId: 65_535, dup: false, retain: true });
  await second.packet("puback");
  await driver.run("unsubscribe", "raw/+/é");
  await second.packet("unsubscribe");
  await driver.run("publish", "t", "last", 1);
  await driver.run("disconnect");
  await driver.event("Disconnected", ({ reason_name }) => reason_name === "Requested");
  await second.closed();

  const told = driver.events.map(({ event, id, reason_name, flags, topic, payload, payload_hex, total, name, value }) =>
    (event === "Message" ? "part" : [event, id, reason_name, flags, topic, payload ?? payload_hex, total, name, value].join(" ")));
  return {
    packets: broker.links.map(({ packets }) => packets), bytes: broker.links.map((link) => link.received()),
    // Parts are cut where the network cut them.
    events: told.filter((line, n) => line !== "part" || told[n - 1] !== "part"),
  };
}

const recordings = new Map<Engine, Recording>();

async function recording(t: TestContext, engine: Engine): Promise<Recording> {
  const made = recordings.get(engine) ?? await record(t, engine);
  recordings.set(engine, made);
  return made;
}

for (const engine of ENGINES) {
  test(`${engine}: the bytes are what another codec makes of the packets`, { timeout: 3 * PATIENCE_MS }, async (t) => {
    const { packets, bytes } = await recording(t, engine);
    assert.equal(packets.length, 2, "two connections");
    packets.forEach((sent, n) => {
      const again = Buffer.concat(sent.map((packet) => mqttPacket.generate(packet)));
      assert.equal(bytes[n]!.toString("hex"), again.toString("hex"), `connection ${n + 1}`);
    });
    assert.deepEqual(packets[1]!.map(({ cmd }) => cmd), [
      "connect", "subscribe", "subscribe", "subscribe", "subscribe", "publish", "publish", "puback", "unsubscribe", "publish", "disconnect",
    ]);
    assert.deepEqual(packets[1]!.filter(({ cmd }) => cmd === "publish").map((packet) => packet.cmd === "publish" && packet.dup), [true, true, false]);
  });
}

for (const engine of ENGINES.slice(1)) {
  test(`${engine}: the same packets, bytes and events as ${ENGINES[0]}`, { timeout: 3 * PATIENCE_MS }, async (t) => {
    const [one, other] = [await recording(t, ENGINES[0]), await recording(t, engine)];
    other.packets.forEach((packets, connection) => packets.forEach((packet, n) => {
      assert.deepEqual(packet, one.packets[connection]![n], `packet ${n + 1} of connection ${connection + 1}`);
    }));
    other.bytes.forEach((bytes, n) => assert.equal(bytes.toString("hex"), one.bytes[n]!.toString("hex"), `bytes of connection ${n + 1}`));
    assert.deepEqual(other.events, one.events);
  });
}
