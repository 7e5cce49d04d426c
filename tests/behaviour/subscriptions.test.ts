// Subscriptions are declared once: each session asserts exactly those that hold, whatever was sent before, between and after them.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Feature } from "../../build/generated/abi.ts";
import { BareBroker, type BareLink } from "./bare-broker.ts";
import type { Driver, Engine } from "./driver.ts";
import { behaviour, started } from "./harness.ts";

const plain = { rpc: false, shared_attributes: false };

async function connected(t: TestContext, engine: Engine, more: object = {}): Promise<{ broker: BareBroker; link: BareLink; driver: Driver }> {
  const broker = await BareBroker.open(t);
  const driver = await started(t, engine, broker.port, { ...plain, ...more });
  await driver.event("Connected");
  return { broker, link: await broker.link(1), driver };
}

async function subscribe(driver: Driver, filter: string, qos: 0 | 1 = 0): Promise<number> {
  const id = await driver.run("subscribe", filter, qos);
  await driver.event("Subscribed", ({ topic }) => topic === filter);
  return id;
}

/** What the next session asserts, in order. */
async function assertedNext(broker: BareBroker, driver: Driver): Promise<string[]> {
  const count = broker.links.length;
  broker.links[count - 1]!.socket.end();
  const link = await broker.link(count + 1);
  await driver.until("another session", () => driver.of("Connected").length > count);
  // Subscriptions go before messages, so the first message says that there are no more.
  await driver.run("publish", "end", "", 1);
  await link.packet("publish");
  return link.of("subscribe").map(({ subscriptions }) => `${subscriptions[0]!.topic} ${subscriptions[0]!.qos}`);
}

behaviour("subscriptions", Feature.Raw, (check) => {
  check("declared before and after the connection, they come back in order with their QoS", async (t, engine) => {
    const broker = await BareBroker.open(t);
    broker.answers.connect = false;
    const driver = await started(t, engine, broker.port, plain);
    const link = await broker.link(1);
    await link.packet("connect");
    await driver.run("subscribe", "early/#", 1);
    link.send({ cmd: "connack", returnCode: 0, sessionPresent: false });
    broker.answers.connect = true;
    await driver.event("Subscribed");
    await subscribe(driver, "late/+", 0);
    assert.deepEqual(await assertedNext(broker, driver), ["early/# 1", "late/+ 0"]);
    assert.deepEqual(await assertedNext(broker, driver), ["early/# 1", "late/+ 0"], "and again");
  });

  check("the same filter twice is one subscription with the later QoS", async (t, engine) => {
    const { broker, driver } = await connected(t, engine);
    await subscribe(driver, "a/#", 0);
    await subscribe(driver, "a/#", 1);
    assert.deepEqual(await assertedNext(broker, driver), ["a/# 1"]);
  });

  check("the first of two is unsubscribed: the second holds", async (t, engine) => {
    const { broker, link, driver } = await connected(t, engine);
    await subscribe(driver, "first/#");
    await subscribe(driver, "second/#");
    await driver.run("unsubscribe", "first/#");
    assert.deepEqual((await link.packet("unsubscribe")).unsubscriptions, ["first/#"]);
    assert.equal((await driver.ask("unsubscribe", "first/#")).status, "NotFound");
    await driver.run("publish", "t", "x", 1);
    await driver.event("Delivered");
    assert.deepEqual(await assertedNext(broker, driver), ["second/# 0"]);
  });

  check("the last of two is unsubscribed: the first holds", async (t, engine) => {
    const { broker, link, driver } = await connected(t, engine);
    await subscribe(driver, "first/#");
    await subscribe(driver, "second/#");
    await driver.run("unsubscribe", "second/#");
    await link.packet("unsubscribe");
    assert.deepEqual(await assertedNext(broker, driver), ["first/# 0"]);
  });

  check("declared while a message is in flight, it holds when that is acknowledged", async (t, engine) => {
    const { broker, link, driver } = await connected(t, engine);
    link.answers.publish = false;
    await driver.run("publish", "t", "x", 1);
    const { messageId } = await link.packet("publish");
    await subscribe(driver, "between/#");
    link.puback(messageId!);
    await driver.event("Delivered");
    assert.deepEqual(await assertedNext(broker, driver), ["between/# 0"]);
  });

  check("many subscriptions among many messages all hold", async (t, engine) => {
    const { broker, link, driver } = await connected(t, engine, { send_buffer: 4096 });
    const held: string[] = [];
    for (let n = 0; n < 12; n++) {
      await driver.run("publish", "t", `${n}`, 1);
      await subscribe(driver, `f${n}/#`);
      if (n % 3 === 0) await driver.run("unsubscribe", `f${n}/#`);
      else held.push(`f${n}/# 0`);
    }
    await driver.until("all Delivered", () => driver.of("Delivered").length === 12);
    await link.packet("unsubscribe", 4);
    assert.deepEqual(await assertedNext(broker, driver), held);
    const sent = new Set(broker.of("publish").map(({ payload }) => payload.toString()));
    assert.equal(sent.size, 13, "twelve messages and the end");
  });

  check("a filter that is none, or does not fit, is refused when it is declared", async (t, engine) => {
    const { broker, driver } = await connected(t, engine, { send_buffer: 128 });
    for (const filter of ["", "a#", "a/#/b", "a+/b"]) assert.equal((await driver.ask("subscribe", filter, 0)).status, "InvalidTopic", filter);
    assert.equal((await driver.ask("subscribe", "z".repeat(120), 0)).status, "TooLarge");
    assert.equal((await driver.ask("subscribe", "a", 2)).status, "InvalidValue");
    assert.equal((await driver.ask("publish", "a/#", "x")).status, "InvalidTopic", "no wildcard in a topic");
    assert.deepEqual(await assertedNext(broker, driver), []);
  });
});
