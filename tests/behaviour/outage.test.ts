// The server or the network goes away in every way it can and comes back on the same port: the client names it and loses nothing.

import assert from "node:assert/strict";
import mqttPacket from "mqtt-packet";
import { BareBroker } from "./bare-broker.ts";
import type { Driver } from "./driver.ts";
import { behaviour, freePort, online, Site, started, subscribed } from "./harness.ts";

const plain = { rpc: false, shared_attributes: false };
const GONE = /^Connection(Closed|Reset)$/;

/** Sends messages with keys of this name, each at QoS 1; their keys. */
async function send(driver: Driver, name: string, count: number): Promise<string[]> {
  const keys = [...Array(count).keys()].map((n) => `${name}${n}`);
  for (const key of keys) await driver.run("telemetry", `{"${key}":1}`, 1);
  return keys;
}

behaviour("outages", (check) => {
  check("the server stops and starts: what was said before, during and after is stored", async (t, engine) => {
    const { site, driver } = await online(t, engine, { send_buffer: 8192 });
    const keys = await send(driver, "before", 10);
    await site.stop();
    assert.match((await driver.event("Disconnected")).reason_name, GONE);
    keys.push(...await send(driver, "during", 10));
    await driver.until("a vain attempt", (events) => events.some(({ reason_name }) => reason_name === "ConnectionRefused"));
    await site.start();
    await subscribed(driver);
    keys.push(...await send(driver, "after", 10));
    await site.stored(...keys);
    await driver.until("thirty Delivered", () => new Set(driver.of("Delivered").map(({ id }) => id)).size === 30);
    // The subscriptions are there again as well.
    const answer = site.rest("POST", "/api/rpc/twoway/{id}", { method: "alive" });
    await driver.run("rpc_reply", (await driver.event("RpcRequest")).id, "true");
    assert.equal((await answer).text, "true");
  });

  check("connections that are reset again and again in the middle of the traffic lose nothing", async (t, engine) => {
    const { site, driver } = await online(t, engine, { send_buffer: 8192 });
    const keys: string[] = [];
    for (let round = 0; round < 6; round++) {
      keys.push(...await send(driver, `r${round}k`, 5));
      site.server.faults.killSessions();
      keys.push(...await send(driver, `r${round}j`, 5));
      await driver.event("Connected");
    }
    await site.stored(...keys);
    await driver.until("all Delivered", () => new Set(driver.of("Delivered").map(({ id }) => id)).size === keys.length);
    assert.ok((await driver.stats()).stats.Disconnects! >= 1);
  });

  check("a server that falls silent is noticed by its missing PINGRESP", async (t, engine) => {
    const { site, driver } = await online(t, engine, { keep_alive_s: 1, ack_timeout_s: 1 });
    site.server.faults.halfOpen();
    assert.equal((await driver.event("Disconnected")).reason_name, "PingTimeout");
    await driver.event("Connected", () => driver.of("Connected").length >= 2);
    await driver.run("telemetry", '{"after":1}', 1);
    await site.stored("after");
  });

  check("a silent server that owes a PUBACK is noticed by that, and the message arrives", async (t, engine) => {
    const { site, driver } = await online(t, engine, { keep_alive_s: 0, ack_timeout_s: 1 });
    site.server.faults.halfOpen();
    await driver.run("telemetry", '{"owed":1}', 1);
    assert.equal((await driver.event("Disconnected")).reason_name, "AcknowledgeTimeout");
    await site.stored("owed");
    await driver.event("Delivered");
  });

  check("a packet that breaks off is no message; whole in the next connection it is one", async (t, engine) => {
    const broker = await BareBroker.open(t);
    const driver = await started(t, engine, broker.port, plain);
    await driver.event("Connected");
    const packet = mqttPacket.generate({ cmd: "publish", topic: "v1/devices/me/rpc/request/5", payload: '{"method":"whole"}', qos: 1, messageId: 9, dup: false, retain: false });
    const first = await broker.link(1);
    first.send(packet.subarray(0, 8));
    first.socket.end();
    assert.equal((await driver.event("Disconnected")).reason_name, "ConnectionClosed");
    const second = await broker.link(2);
    await driver.event("Connected");
    second.send(packet);
    const message = await driver.event("RpcRequest");
    assert.deepEqual([message.topic, message.payload], ["v1/devices/me/rpc/request/5", '{"method":"whole"}']);
    assert.equal((await second.packet("puback")).messageId, 9);
    assert.equal(driver.of("RpcRequest").length, 1);
  });

  check("nobody listens at the port, then somebody does", async (t, engine) => {
    const port = await freePort();
    const driver = await started(t, engine, port, { reconnect_max_ms: 10 });
    await driver.run("telemetry", '{"early":1}', 1);
    for (let attempt = 0; attempt < 3; attempt++) assert.equal((await driver.event("Disconnected")).reason_name, "ConnectionRefused");
    const { stats, state } = await driver.stats();
    assert.ok(stats.ConnectFailures! >= 3 && stats.Connects === 0, JSON.stringify(stats));
    assert.match(state, /^(Waiting|Opening|Connecting)$/);
    const site = await Site.open(t, {}, port);
    await driver.event("Connected");
    await site.stored("early");
  });

  check("a name that cannot be resolved is a failure by that name, again and again", async (t, engine) => {
    // A label of 64 bytes fits no DNS question, so the resolver answers without one and the network is left alone.
    const driver = await started(t, engine, 1883, { mqtt_host: `${"x".repeat(64)}.invalid`, reconnect_max_ms: 10 });
    for (let attempt = 0; attempt < 2; attempt++) assert.equal((await driver.event("Disconnected")).reason_name, "DnsFailed");
    await driver.run("stop");
    assert.equal((await driver.stats()).state, "Stopped");
  });

  check("a server that takes the connection and says nothing is a ConnackTimeout", async (t, engine) => {
    const broker = await BareBroker.open(t);
    broker.answers.connect = false;
    const driver = await started(t, engine, broker.port, { ...plain, connect_timeout_s: 1 });
    await (await broker.link(1)).packet("connect");
    broker.answers.connect = true;
    assert.equal((await driver.event("Disconnected")).reason_name, "ConnackTimeout");
    await driver.event("Connected");
  });

  check("bytes that are no MQTT end the connection as a ProtocolError", async (t, engine) => {
    const broker = await BareBroker.open(t);
    const driver = await started(t, engine, broker.port, plain);
    await driver.event("Connected");
    (await broker.link(1)).send(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
    assert.equal((await driver.event("Disconnected")).reason_name, "ProtocolError");
    await driver.event("Connected");
    assert.equal((await driver.stats()).stats.ProtocolErrors, 1);
  });
});
