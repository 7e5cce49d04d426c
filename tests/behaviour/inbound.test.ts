// Messages from the peer: in parts, cut off, declined and delivered again, and faster than anyone can take them.

import assert from "node:assert/strict";
import { Feature } from "../../build/generated/abi.ts";
import { BareBroker, type BareLink } from "./bare-broker.ts";
import type { Driver, Engine } from "./driver.ts";
import { behaviour, started } from "./harness.ts";
import type { TestContext } from "node:test";
import mqttPacket from "mqtt-packet";

const LAST = 16;
const text = (length: number): string => [...Array(length).keys()].map((n) => String.fromCharCode(97 + n % 26)).join("");

function publish(link: BareLink, topic: string, payload: string | Buffer, qos: 0 | 1 = 0, messageId = 7, dup = false): void {
  link.send({ cmd: "publish", topic, payload, qos, dup, retain: false, ...(qos === 0 ? {} : { messageId }) });
}

async function connected(t: TestContext, engine: Engine, more: object = {}): Promise<{ broker: BareBroker; link: BareLink; driver: Driver }> {
  const broker = await BareBroker.open(t);
  const driver = await started(t, engine, broker.port, { rpc: false, shared_attributes: false, ...more });
  await driver.event("Connected");
  await driver.run("subscribe", "in/#", 1);
  await driver.event("Subscribed");
  return { broker, link: await broker.link(1), driver };
}

behaviour("messages from the peer", Feature.Raw, (check) => {
  check("one that is larger than receive_buffer comes in parts, and its PUBACK after the last", async (t, engine) => {
    const { link, driver } = await connected(t, engine, { receive_buffer: 128 });
    const payload = text(10_000);
    publish(link, "in/large", payload, 1, 41);
    await driver.event("Message", ({ flags }) => (flags & LAST) !== 0);
    const parts = driver.of("Message");
    assert.ok(parts.length > 10_000 / 128, `${parts.length} parts`);
    let offset = 0;
    for (const part of parts) {
      assert.deepEqual([part.topic, part.total, part.offset], ["in/large", 10_000, offset]);
      assert.equal((part.flags & LAST) !== 0, part === parts.at(-1));
      offset += part.payload!.length;
    }
    assert.equal(parts.map((part) => part.payload).join(""), payload);
    assert.equal((await link.packet("puback")).messageId, 41);
    publish(link, "in/small", "next");
    assert.equal((await driver.event("Message", ({ topic }) => topic === "in/small")).payload, "next");
    assert.equal((await driver.stats()).stats.MessagesReceived, 2);
  });

  check("one that ends with the connection is aborted, and comes whole in the next", async (t, engine) => {
    const { broker, link, driver } = await connected(t, engine, { receive_buffer: 128 });
    const packet = mqttPacket.generate({ cmd: "publish", topic: "in/cut", payload: text(2000), qos: 1, messageId: 5, dup: false, retain: false });
    link.send(packet.subarray(0, 700));
    await driver.until("400 bytes of it", () => driver.of("Message").reduce((sum, { payload }) => sum + payload!.length, 0) >= 400);
    link.socket.end();
    await driver.event("MessageAborted");
    await driver.event("Disconnected");
    assert.ok(!driver.of("Message").some(({ flags }) => flags & LAST));
    const second = await broker.link(2);
    await second.packet("subscribe");
    const seen = driver.of("Message").length;
    second.send(packet);
    await driver.event("Message", ({ flags }) => (flags & LAST) !== 0);
    assert.equal(driver.of("Message").slice(seen).map(({ payload }) => payload).join(""), text(2000));
    assert.equal((await second.packet("puback")).messageId, 5);
    assert.equal((await driver.stats()).stats.InboundAborted, 1);
  });

  check("declined with redeliver, it is asked for again three times at most, and no later PUBACK overtakes it", async (t, engine) => {
    const { broker, link, driver } = await connected(t, engine, { redeliver: true, reconnect_max_ms: 5 });
    await driver.run("decline", 2);
    link.send(
      { cmd: "publish", topic: "in/a", payload: "1", qos: 1, messageId: 1, dup: false, retain: false },
      { cmd: "publish", topic: "in/b", payload: "2", qos: 1, messageId: 2, dup: false, retain: false },
    );
    assert.equal((await driver.event("Disconnected")).reason_name, "Redelivery");
    await link.closed();
    assert.equal(link.of("puback").length, 0, "the second message is not acknowledged before the first");
    const second = await broker.link(2);
    await second.packet("subscribe");
    publish(second, "in/a", "1", 1, 1, true);
    await driver.event("Disconnected");
    const third = await broker.link(3);
    await third.packet("subscribe");
    publish(third, "in/a", "1", 1, 1, true);
    publish(third, "in/b", "2", 1, 2, true);
    await third.packet("puback", 2);
    assert.deepEqual(third.of("puback").map(({ messageId }) => messageId), [1, 2]);
    const { stats } = await driver.stats();
    assert.deepEqual([stats.InboundRedelivered, stats.InboundDropped], [2, 0]);
  });

  check("declined once too often, it is acknowledged and counted", async (t, engine) => {
    const { broker, driver } = await connected(t, engine, { redeliver: true, reconnect_max_ms: 5 });
    await driver.run("decline", 3);
    for (let session = 1; session <= 3; session++) {
      const link = await broker.link(session);
      await link.packet("subscribe");
      publish(link, "in/a", "1", 1, 1, session > 1);
      if (session < 3) await driver.event("Disconnected");
    }
    assert.equal((await (await broker.link(3)).packet("puback")).messageId, 1);
    const { stats } = await driver.stats();
    assert.deepEqual([stats.InboundRedelivered, stats.InboundDropped, broker.links.length], [2, 1, 3]);
  });

  check("declined without redeliver, it is acknowledged and counted at once", async (t, engine) => {
    const { link, driver } = await connected(t, engine);
    await driver.run("decline", 1);
    publish(link, "in/a", "1", 1, 1);
    publish(link, "in/a", "2", 1, 2);
    await link.packet("puback", 2);
    const { stats } = await driver.stats();
    assert.deepEqual([stats.InboundDropped, stats.InboundRedelivered, stats.Disconnects], [1, 0, 0]);
    assert.equal((await driver.ask("release", 1)).status, "BadState", "no message is lent now");
  });

  check("a payload may be any bytes, and none", async (t, engine) => {
    const { link, driver } = await connected(t, engine, { receive_buffer: 1024, staging_buffer: 512 });
    const bytes = Buffer.from([...Array(256).keys()]);
    publish(link, "in/bytes", bytes, 1, 3);
    assert.equal((await driver.event("Message")).payload_hex, bytes.toString("hex"));
    publish(link, "in/none", "", 1, 4);
    const none = await driver.event("Message");
    assert.deepEqual([none.payload, none.total, none.flags & LAST], ["", 0, LAST]);
    await driver.run("publish", "out", bytes, 1);
    assert.deepEqual((await link.packet("publish")).payload, bytes);
  });

  check("five hundred at once are all delivered and acknowledged in order", async (t, engine) => {
    const { link, driver } = await connected(t, engine);
    const numbers = [...Array(500).keys()];
    link.send(...numbers.map((n) => ({ cmd: "publish" as const, topic: "in/n", payload: `${n}`, qos: 1 as const, messageId: n + 1, dup: false, retain: false })));
    await link.packet("puback", 500);
    await driver.until("500 messages", () => driver.of("Message").length >= 500);
    assert.deepEqual(driver.of("Message").map(({ payload }) => Number(payload)), numbers);
    assert.deepEqual(link.of("puback").map(({ messageId }) => messageId), numbers.map((n) => n + 1));
  });

  check("bytes that come one at a time make the same messages", async (t, engine) => {
    const { link, driver } = await connected(t, engine);
    const packet = mqttPacket.generate({ cmd: "publish", topic: "in/slow", payload: text(40), qos: 1, messageId: 6, dup: false, retain: false });
    for (const byte of packet) {
      link.send(Buffer.of(byte));
      await driver.stats(); // the client has run meanwhile
    }
    assert.equal((await driver.event("Message")).payload, text(40));
    await link.packet("puback");
  });
});
