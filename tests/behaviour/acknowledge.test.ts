// QoS 1 under a server that acknowledges late, twice, in the wrong order or never: everything is delivered, repetitions say so.

import assert from "node:assert/strict";
import { behaviour, online, started } from "./harness.ts";
import { BareBroker } from "./bare-broker.ts";

behaviour("acknowledgements", (check) => {
  check("a PUBACK that does not come closes the link once; the message comes again", async (t, engine) => {
    const { site, driver } = await online(t, engine, { ack_timeout_s: 2 });
    site.server.faults.dropPuback();
    const id = await driver.run("telemetry", '{"a":1}', 1);
    assert.equal((await driver.event("Disconnected")).reason_name, "AcknowledgeTimeout");
    assert.equal((await driver.event("Delivered")).id, id);
    assert.equal(site.counts.get("a"), 2, "stored, and stored again by the repetition");
    const { stats } = await driver.stats();
    assert.deepEqual([stats.MessagesResent, stats.MessagesDelivered, stats.Disconnects], [1, 1, 1]);
  });

  check("the repetition keeps its id and payload and carries DUP", async (t, engine) => {
    const broker = await BareBroker.open(t);
    broker.answers.publish = false;
    const driver = await started(t, engine, broker.port, { rpc: false, shared_attributes: false, ack_timeout_s: 1 });
    const id = await driver.run("telemetry", '{"a":1}', 1);
    const first = await (await broker.link(1)).packet("publish");
    await driver.event("Disconnected");
    broker.answers.publish = true;
    const second = await (await broker.link(2)).packet("publish");
    await driver.event("Delivered");
    assert.deepEqual([first.messageId, first.dup, second.messageId, second.dup], [id, false, id, true]);
    assert.deepEqual([second.payload.toString(), second.qos], ['{"a":1}', 1]);
  });

  check("a PUBACK that comes twice counts once", async (t, engine) => {
    const { site, driver } = await online(t, engine);
    site.server.faults.duplicatePuback();
    await driver.run("telemetry", '{"a":1}', 1);
    await driver.run("telemetry", '{"b":1}', 1);
    await driver.until("both Delivered", () => driver.of("Delivered").length === 2);
    const { stats } = await driver.stats();
    assert.deepEqual([stats.MessagesDelivered, stats.AcknowledgementsUnknown, stats.Disconnects], [2, 1, 0]);
    assert.equal(driver.of("Delivered").length, 2);
  });

  check("PUBACKs in the opposite order belong to their messages", async (t, engine) => {
    const { site, driver } = await online(t, engine);
    site.server.faults.reversePubacks(5);
    const ids: number[] = [];
    for (let n = 0; n < 5; n++) ids.push(await driver.run("telemetry", `{"k${n}":${n}}`, 1));
    await driver.until("five Delivered", () => driver.of("Delivered").length === 5);
    assert.deepEqual(driver.of("Delivered").map(({ id }) => id), ids.toReversed());
    assert.equal(site.telemetry.size, 5);
    assert.equal((await driver.stats()).stats.MessagesResent, 0);
  });

  check("a PUBACK that is late is waited for", async (t, engine) => {
    const { site, driver } = await online(t, engine, { ack_timeout_s: 10 });
    site.server.faults.delayPuback(1, 700);
    await driver.run("telemetry", '{"a":1}', 1);
    await driver.event("Delivered");
    const { stats } = await driver.stats();
    assert.deepEqual([stats.MessagesResent, stats.Disconnects, site.counts.get("a")], [0, 0, 1]);
  });

  check("a rate limit that closes the connection loses nothing", async (t, engine) => {
    const { site, driver } = await online(t, engine);
    site.server.faults.exceedRate();
    for (let n = 0; n < 5; n++) await driver.run("telemetry", `{"k${n}":${n}}`, 1);
    await driver.until("five Delivered", () => driver.of("Delivered").length === 5);
    assert.equal(site.telemetry.size, 5);
    assert.match((await driver.event("Disconnected")).reason_name, /^Connection(Closed|Reset)$/);
  });

  check("no more messages are in flight than max_inflight", async (t, engine) => {
    const broker = await BareBroker.open(t);
    broker.answers.publish = false;
    const driver = await started(t, engine, broker.port, { rpc: false, shared_attributes: false, max_inflight: 3, keep_alive_s: 1 });
    for (let n = 0; n < 7; n++) await driver.run("telemetry", `{"k":${n}}`, 1);
    const link = await broker.link(1);
    // A PINGREQ leaves when everything that may leave has left, so what came before it is all there is.
    await link.packet("publish", 3);
    await link.packet("pingreq", link.of("pingreq").length + 1);
    assert.equal(link.of("publish").length, 3);
    link.answers.publish = true;
    for (const { messageId } of link.of("publish")) link.puback(messageId!);
    await driver.until("seven Delivered", () => driver.of("Delivered").length === 7);
    assert.deepEqual(link.of("publish").map(({ payload }) => payload.toString()), [...Array(7).keys()].map((n) => `{"k":${n}}`), "in order");
  });
});
