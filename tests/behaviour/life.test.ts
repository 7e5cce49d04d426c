// The life of a client: orderly ends, new starts, traps that are survived and one too many.

import assert from "node:assert/strict";
import { Feature } from "../../build/generated/abi.ts";
import { BareBroker } from "./bare-broker.ts";
import { behaviour, online, Site, started, subscribed } from "./harness.ts";

const plain = { rpc: false, shared_attributes: false };

behaviour("life", (check) => {
  check("disconnect drains the outbox, says DISCONNECT and stops", async (t, engine) => {
    const broker = await BareBroker.open(t);
    const driver = await started(t, engine, broker.port, { ...plain, send_buffer: 4096 });
    await driver.event("Connected");
    for (let n = 0; n < 20; n++) await driver.run("telemetry", `{"n":${n}}`, 1);
    await driver.run("disconnect");
    assert.equal((await driver.event("Disconnected")).reason_name, "Requested");
    assert.equal(driver.of("Delivered").length, 20, "before the end");
    const link = await broker.link(1);
    await link.closed();
    assert.equal(link.packets.at(-1)!.cmd, "disconnect");
    const { state, stats } = await driver.stats();
    assert.deepEqual([state, stats.Disconnects], ["Stopped", 0]);
    assert.equal(broker.links.length, 1, "it does not come back by itself");
  });

  check("disconnect waits no longer than ack_timeout_s, and what is left goes with the next start", async (t, engine) => {
    const broker = await BareBroker.open(t);
    broker.answers.publish = false;
    const driver = await started(t, engine, broker.port, { ...plain, ack_timeout_s: 1 });
    await driver.event("Connected");
    const id = await driver.run("telemetry", '{"kept":1}', 1);
    await driver.run("disconnect");
    assert.equal((await driver.event("Disconnected")).reason_name, "Requested");
    assert.equal((await driver.stats()).state, "Stopped");
    await (await broker.link(1)).packet("disconnect");
    broker.answers.publish = true;
    await driver.run("start");
    assert.equal((await driver.event("Delivered")).id, id);
    const repeated = await (await broker.link(2)).packet("publish");
    assert.deepEqual([repeated.messageId, repeated.dup, repeated.payload.toString()], [id, true, '{"kept":1}']);
  });

  check("stop ends at once with DISCONNECT and without an event; start begins again", async (t, engine) => {
    const { site, driver } = await online(t, engine);
    for (let round = 0; round < 5; round++) {
      const gone = site.server.events.next("disconnected", () => true, 20_000);
      await driver.run("stop");
      assert.equal((await gone).cause, "the client disconnected", "it said DISCONNECT");
      assert.equal((await driver.stats()).state, "Stopped");
      await driver.run("telemetry", `{"r${round}":1}`, 1);
      await driver.run("start");
      assert.equal(await driver.run("start"), 0, "a second start is no fault");
      await driver.event("Connected");
      await subscribed(driver);
      await site.stored(`r${round}`);
    }
    assert.equal(driver.of("Disconnected").length, 0);
    assert.equal(driver.of("Connected").length, 6);
  });

  check("start takes a disconnect back", async (t, engine) => {
    const broker = await BareBroker.open(t);
    broker.answers.publish = false;
    const driver = await started(t, engine, broker.port, plain);
    await driver.event("Connected");
    await driver.run("telemetry", '{"a":1}', 1);
    const link = await broker.link(1);
    const { messageId } = await link.packet("publish");
    await driver.run("disconnect");
    assert.equal((await driver.stats()).state, "Draining");
    await driver.run("start");
    link.puback(messageId!);
    await driver.event("Delivered");
    link.answers.publish = true;
    await driver.run("telemetry", '{"b":1}', 1);
    await driver.event("Delivered");
    assert.equal((await driver.stats()).state, "Connected");
    assert.equal(broker.links.length, 1, "over the same connection");
  });

  check("start, stop and disconnect while nothing is reached", async (t, engine) => {
    const broker = await BareBroker.open(t);
    broker.answers.connect = false;
    const driver = await started(t, engine, broker.port, plain);
    await (await broker.link(1)).packet("connect");
    await driver.run("disconnect");
    assert.equal((await driver.event("Disconnected")).reason_name, "Requested");
    await driver.run("start");
    await (await broker.link(2)).packet("connect");
    await driver.run("stop");
    await (await broker.link(2)).closed();
    assert.equal((await driver.stats()).state, "Stopped");
    broker.answers.connect = true;
    await driver.run("start");
    await driver.event("Connected");
  });

  check("a trap is survived: Restarted, the declarations are asserted, the client works", Feature.Raw, async (t, engine) => {
    const { site, driver } = await online(t, engine);
    await driver.run("subscribe", "v1/devices/me/rpc/response/+", 1);
    await driver.event("Subscribed");
    await driver.run("trap");
    assert.equal((await driver.event("Disconnected")).reason_name, "Trapped");
    const restarted = await driver.event("Restarted");
    assert.equal(restarted.total, 0, "nothing was in RAM");
    await driver.event("Connected", () => driver.of("Connected").length >= 2);
    await driver.until("the filter of run time again", () => driver.of("Subscribed").filter(({ topic }) => topic === "v1/devices/me/rpc/response/+").length >= 2);
    await driver.run("telemetry", '{"after":1}', 1);
    await site.stored("after");
    await driver.event("Delivered");
    const answer = site.rest("POST", "/api/rpc/twoway/{id}", { method: "alive" });
    await driver.run("rpc_reply", (await driver.event("RpcRequest")).id, "1");
    assert.equal((await answer).text, "1");
    assert.equal((await driver.stats()).traps, 1);
  });

  check("five traps end the client with Failed, and it stays ended until it is started", async (t, engine) => {
    const site = await Site.open(t);
    const driver = await started(t, engine, site.port);
    for (let trap = 1; trap <= 4; trap++) {
      await driver.until(`session ${trap}`, () => driver.of("Connected").length >= trap);
      await driver.run("trap");
      await driver.event("Restarted");
    }
    await driver.until("session 5", () => driver.of("Connected").length >= 5);
    await driver.run("trap");
    await driver.event("Failed");
    assert.equal(driver.of("Restarted").length, 4);
    const { state, traps } = await driver.stats();
    assert.deepEqual([state, traps], ["Stopped", 5]);
    assert.ok((await driver.ask("telemetry", '{"a":1}')).result < 0, "nobody is there to take it");
    assert.equal(site.connectsMs.length, 5);
    assert.deepEqual(driver.of("Disconnected").map(({ reason_name }) => reason_name), Array.from({ length: 5 }, () => "Trapped"));

    await driver.run("start");
    assert.equal((await driver.event("Restarted")).total, 0);
    await driver.until("session 6", () => driver.of("Connected").length >= 6);
    await driver.run("telemetry", '{"again":1}', 1);
    await site.stored("again");
    await driver.run("trap");
    await driver.event("Restarted");
    await driver.until("session 7: the five are forgotten", () => driver.of("Connected").length >= 7);
  });
});
