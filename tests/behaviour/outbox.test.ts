// A bounded outbox: it says Full and recovers, may drop the oldest, sets poison aside, and bears a peer that reads slowly.

import assert from "node:assert/strict";
import type { Packet } from "mqtt-packet";
import { Feature } from "../../build/generated/abi.ts";
import { BareBroker, type BareLink } from "./bare-broker.ts";
import type { Driver } from "./driver.ts";
import { behaviour, freePort, Site, started } from "./harness.ts";

const plain = { rpc: false, shared_attributes: false };

/** Sends numbered messages until the outbox is full; how many it took. */
async function fill(driver: Driver): Promise<number> {
  for (let count = 0; count < 1000; count++) {
    const answer = await driver.ask("telemetry", `{"k${count}":${count}}`, 1);
    if (answer.status === "Full") return count;
    assert.ok(answer.result > 0, JSON.stringify(answer));
  }
  throw new Error("the outbox has no end");
}

/** The payload of a large message by its number. */
const payload = (n: number): string => `{"n${n}":"${String.fromCharCode(97 + n % 26).repeat(9000)}"}`;

/** Sends large messages until neither the network nor the outbox takes more, or the connection is given up; how many were taken. */
async function block(driver: Driver): Promise<number> {
  // The kernel takes megabytes before it says no; only then does the port, and only then the outbox fills.
  for (let count = 0, refusals = 0; count < 4000;) {
    const { BytesSent: before } = (await driver.stats()).stats;
    const { status } = await driver.ask("telemetry", payload(count), 0);
    if (status !== "Full") count++;
    refusals = status === "Full" && (await driver.stats()).stats.BytesSent === before ? refusals + 1 : 0;
    if (refusals === 30 || driver.of("Disconnected").length > 0) return count;
  }
  throw new Error("the network never said no");
}

behaviour("outbox", (check) => {
  check("Full is said, counted and passes; what was taken arrives in order", async (t, engine) => {
    const port = await freePort();
    const driver = await started(t, engine, port, { ...plain, send_buffer: 1024, staging_buffer: 1200 });
    const taken = await fill(driver);
    assert.ok(taken >= 15, `only ${taken} messages in 1024 bytes`);
    assert.equal((await driver.ask("telemetry", '{"more":1}', 0)).status, "Full", "QoS 0 as well");
    const full = (await driver.stats()).stats;
    assert.deepEqual([full.MessagesQueued, full.MessagesRefused, full.MessagesDropped], [taken, 2, 0]);
    const tooLarge = await driver.ask("telemetry", `{"z":"${"z".repeat(1100)}"}`, 1);
    assert.equal(tooLarge.status, "TooLarge", "this one never fits");
    assert.ok(tooLarge.value! > 1100, `bytes needed: ${tooLarge.value}`);
    const site = await Site.open(t, {}, port);
    await driver.until("all Delivered", () => driver.of("Delivered").length === taken);
    assert.deepEqual([...site.telemetry.keys()], [...Array(taken).keys()].map((n) => `k${n}`));
    await driver.run("telemetry", '{"again":1}', 1);
    await driver.until("one more Delivered", () => driver.of("Delivered").length === taken + 1);
    assert.ok(site.telemetry.has("again"));
    assert.equal(await fillOnline(driver), 200, "there is room for ever more once the server takes them");
  });

  check("outbox_drop_oldest lets the newest survive, and counts", Feature.Raw, async (t, engine) => {
    const port = await freePort();
    const driver = await started(t, engine, port, { ...plain, send_buffer: 1024, outbox_drop_oldest: true });
    for (let n = 0; n < 100; n++) await driver.run("telemetry", `{"k${n}":${n}}`, 1);
    const { MessagesDropped: dropped, MessagesQueued: queued, MessagesRefused: refused } = (await driver.stats()).stats;
    assert.deepEqual([queued, refused], [100, 0]);
    assert.ok(dropped! > 50 && dropped! < 90, `${dropped} dropped`);
    const site = await Site.open(t, {}, port);
    await driver.until("the others Delivered", () => driver.of("Delivered").length === 100 - dropped!);
    assert.deepEqual([...site.telemetry.keys()], [...Array(100 - dropped!).keys()].map((n) => `k${n + dropped!}`), "the oldest went first");
  });

  check("what is in flight is never dropped", Feature.Raw, async (t, engine) => {
    const broker = await BareBroker.open(t);
    broker.answers.publish = false;
    const driver = await started(t, engine, broker.port, { ...plain, send_buffer: 256, outbox_drop_oldest: true });
    const first = await driver.run("publish", "t", "first", 1);
    const link = await broker.link(1);
    await link.packet("publish");
    let status = "Ok";
    for (let n = 0; n < 100 && status === "Ok"; n++) status = (await driver.ask("publish", "t", `n${n}`.padEnd(40, "."), 1)).status;
    assert.equal(status, "Full");
    for (const { messageId } of link.of("publish")) link.puback(messageId!);
    link.answers.publish = true;
    assert.equal((await driver.event("Delivered")).id, first);
  });

  check("a poison message is set aside after three sessions, and everything else arrives", async (t, engine) => {
    const broker = await BareBroker.open(t);
    broker.onPacket = (packet: Packet, link: BareLink) => {
      if (packet.cmd === "publish" && packet.payload.includes("poison")) link.socket.destroy();
    };
    const port = broker.port;
    const driver = await started(t, engine, port, { ...plain, send_buffer: 4096, reconnect_max_ms: 5 });
    await driver.event("Connected");
    for (const name of ["before", "poison", "after", "last"]) await driver.run("telemetry", `{"${name}":1}`, 1);
    const rejected = await driver.event("MessageRejected");
    assert.deepEqual([rejected.topic, rejected.payload], ["v1/devices/me/telemetry", '{"poison":1}']);
    await driver.until("three Delivered", () => driver.of("Delivered").length >= 3);
    await driver.run("telemetry", '{"live":1}', 1);
    await driver.until("the next Delivered", () => driver.of("Delivered").length >= 4);
    const poisoned = broker.of("publish").filter(({ payload }) => payload.includes("poison")).length;
    assert.ok(poisoned >= 3 && poisoned <= 4, `the poison was sent ${poisoned} times`);
    const arrived = new Set(broker.of("publish").map(({ payload }) => payload.toString()));
    assert.deepEqual([...arrived].sort(), ["after", "before", "last", "live", "poison"].map((name) => `{"${name}":1}`));
    assert.equal(new Set(driver.of("Delivered").map(({ id }) => id)).size, 4);
    assert.ok(!driver.of("Delivered").some(({ id }) => id === rejected.id));
    assert.equal((await driver.stats()).stats.MessagesRejected, 1);
  });

  check("a peer that stops reading fills the outbox; when it reads on, all bytes arrive whole and in order", async (t, engine) => {
    const broker = await BareBroker.open(t);
    const driver = await started(t, engine, broker.port, { ...plain, keep_alive_s: 0, send_buffer: 40_000, staging_buffer: 10_000 });
    await driver.event("Connected");
    const link = await broker.link(1);
    link.socket.pause();
    const count = await block(driver);
    link.socket.resume();
    await link.packet("publish", count);
    let more = 0;
    while (more < 5) if ((await driver.ask("telemetry", payload(count + more), 1)).status !== "Full") more++;
    await link.packet("publish", count + 5);
    const wrong = link.of("publish").findIndex((packet, n) => packet.payload.toString() !== payload(n));
    assert.equal(wrong, -1, `message ${wrong} is not what was sent`);
    assert.equal(broker.links.length, 1, "in one connection");
  });

  check("a peer that never reads is left, at QoS 0 too; what it did not get in time goes to the next connection", async (t, engine) => {
    const broker = await BareBroker.open(t);
    const driver = await started(t, engine, broker.port, { ...plain, keep_alive_s: 4, ack_timeout_s: 1, send_buffer: 40_000, staging_buffer: 10_000 });
    await driver.event("Connected");
    (await broker.link(1)).socket.pause();
    const taken = await block(driver);
    assert.equal((await driver.event("Disconnected")).reason_name, "PingTimeout");
    const second = await broker.link(2);
    await driver.until("the next connection", () => driver.of("Connected").length === 2);
    while ((await driver.ask("telemetry", '{"end":1}', 1)).status === "Full") await driver.stats();
    await driver.event("Delivered");
    const numbers = second.of("publish").slice(0, -1).map((packet) => Number(/\d+/.exec(packet.payload.toString())![0]));
    assert.deepEqual(numbers, numbers.map((_, index) => taken - numbers.length + index), "the last that were taken, each once and in order");
    assert.ok(second.of("publish").slice(0, -1).every((packet, index) => packet.payload.toString() === payload(numbers[index]!)), "and whole");
    assert.equal(broker.links.length, 2);
  });

  check("a connection that ends inside an outgoing packet repeats that packet whole", async (t, engine) => {
    const broker = await BareBroker.open(t);
    const driver = await started(t, engine, broker.port, { ...plain, keep_alive_s: 0, send_buffer: 40_000, staging_buffer: 10_000 });
    await driver.event("Connected");
    const first = await broker.link(1);
    first.socket.pause();
    const last = payload(await block(driver) - 1);
    first.socket.resetAndDestroy();
    await driver.event("Disconnected");
    const second = await broker.link(2);
    await second.packet("publish");
    await driver.run("telemetry", '{"end":1}', 1);
    await driver.event("Delivered");
    const payloads = second.of("publish").map((packet) => packet.payload.toString());
    assert.equal(payloads.at(-2), last, "the last that the outbox took was not lost");
    assert.ok(second.received().subarray(0, 2).equals(Buffer.from([0x10, second.received()[1]!])), "the new connection begins with CONNECT");
  });
});

/** Sends 200 messages as fast as the outbox has room for them. */
async function fillOnline(driver: Driver): Promise<number> {
  const before = driver.of("Delivered").length;
  for (let sent = 0; sent < 200;) {
    const answer = await driver.ask("telemetry", `{"n":${sent}}`, 1);
    if (answer.result > 0) sent++;
    else await driver.until("room", () => driver.of("Delivered").length > before + sent - 15);
  }
  await driver.until("200 Delivered", () => driver.of("Delivered").length === before + 200);
  return driver.of("Delivered").length - before;
}
