// What a server may refuse, and what two clients do that share one token: both hear it, and neither runs in circles.

import assert from "node:assert/strict";
import { Feature } from "../../build/generated/abi.ts";
import { BareBroker } from "./bare-broker.ts";
import { behaviour, online, ownFilters, Site, started, subscribed } from "./harness.ts";

behaviour("refusals", (check) => {
  for (const code of [1, 2, 3, 4, 5]) {
    check(`CONNACK code ${code} is told, and the next attempt waits`, async (t, engine) => {
      const site = await Site.open(t);
      site.server.faults.refuseConnect(1, code);
      const refusedMs = site.server.events.next("refused", ({ what }) => what === "connect", 20_000).then(() => performance.now());
      const driver = await started(t, engine, site.port, { reconnect_min_ms: 1, reconnect_max_ms: 600 });
      const refused = await driver.event("Refused");
      assert.equal(refused.reason, code);
      assert.equal((await driver.event("Disconnected")).reason_name, "ConnectRefused");
      assert.deepEqual(driver.events.map(({ event }) => event).slice(0, 2), ["Refused", "Disconnected"]);
      await driver.event("Connected");
      // Half of the longest backoff at least, though the first one would be a millisecond; an overloaded server (3) may be back sooner.
      const waitedMs = site.connectsMs.at(-1)!.atMs - await refusedMs;
      if (code !== 3) assert.ok(waitedMs > 250, `came back after ${waitedMs} ms`);
      const { stats } = await driver.stats();
      assert.deepEqual([stats.Connects, stats.ConnectFailures, stats.Disconnects], [1, 1, 0]);
    });
  }

  check("a token that nobody knows is refused for as long as it is tried, and what was queued stays", async (t, engine) => {
    const { site, driver } = await online(t, engine, {}, { devices: [{ name: "other", token: "OTHER" }, { name: "Demo device", token: "DEMO_TOKEN" }] });
    await driver.run("stop");
    const stranger = await started(t, engine, site.port, { access_token: "NOBODY", reconnect_max_ms: 20 });
    await stranger.run("telemetry", '{"a":1}', 1);
    for (let attempt = 0; attempt < 3; attempt++) assert.ok([4, 5].includes((await stranger.event("Refused")).reason));
    assert.equal(site.telemetry.size, 0);
    site.server.addDevice({ name: "late", token: "NOBODY" });
    await stranger.event("Delivered");
    assert.equal(site.telemetry.get("a"), 1);
  });

  check("a SUBACK that refuses is told with its filter, and the client lives", async (t, engine) => {
    const site = await Site.open(t);
    site.server.faults.refuseSuback();
    const driver = await started(t, engine, site.port);
    const refused = await driver.event("SubscriptionRefused");
    assert.match(refused.topic, /^v1\/devices\/me\//);
    assert.ok(refused.id > 0);
    const filters = ownFilters(driver).length;
    await driver.until("the other subscriptions", () => driver.of("Subscribed").length === filters - 1);
    await driver.run("telemetry", '{"a":1}', 1);
    await driver.event("Delivered");
    assert.equal((await driver.stats()).stats.Disconnects, 0);
    // It is declared all the same: the next session asks again, and now may have it.
    site.server.faults.killSessions();
    await driver.until("all subscriptions in the second session", () => driver.of("Subscribed").length === 2 * filters - 1);
    assert.ok(driver.of("Subscribed").some(({ topic }) => topic === refused.topic));
  });

  check("two clients with one token hear Unstable, settle at the longest backoff, and neither spins", async (t, engine) => {
    const site = await Site.open(t);
    const backoff = { reconnect_min_ms: 20, reconnect_max_ms: 500 };
    const twins = await Promise.all(["one", "two"].map((client_id) => started(t, engine, site.port, { ...backoff, client_id })));
    for (const twin of twins) assert.match((await twin.event("Unstable")).reason_name, /^Connection(Closed|Reset)$/);
    const settledAt = site.connectsMs.length + 8;
    const enough = settledAt + 24;
    await site.until(`${enough} connects`, () => site.connectsMs.length > enough);
    const [from, to] = [site.connectsMs[settledAt]!.atMs, site.connectsMs[enough]!.atMs];
    // At the cap each comes back after 250 ms on average, so 24 connects of two take about 3000 ms; chance alone does not
    // bring that below 1300, spinning would at once.
    assert.ok(to - from > 1300, `24 connects within ${to - from} ms`);
    for (const twin of twins) assert.equal(twin.of("Unstable").length, 1, "told once");
    // Alone again, the one that stays settles and works.
    await twins[0]!.run("stop");
    await twins[1]!.run("telemetry", '{"after":1}', 1);
    await site.stored("after");
  });

  check("a server that closes twice before the connection was healthy makes it Unstable, a healthy one starts afresh", async (t, engine) => {
    const broker = await BareBroker.open(t);
    const driver = await started(t, engine, broker.port, { rpc: false, shared_attributes: false, healthy_s: 1, keep_alive_s: 1 });
    await driver.event("Connected");
    (await broker.link(1)).socket.end();
    // Healthy takes a second and an answer of the server, here a PUBACK; the second PINGREQ comes after 1.5 s.
    const second = await broker.link(2);
    await driver.run("telemetry", '{"x":1}', 1);
    await driver.event("Delivered");
    await second.packet("pingreq", 2);
    second.socket.end();
    const third = await broker.link(3);
    await third.packet("connect");
    await driver.until("three sessions", () => driver.of("Connected").length === 3);
    assert.equal(driver.of("Unstable").length, 0, "a healthy connection lay between the closes");
    third.socket.end();
    await driver.event("Unstable");
  });

  check("subscriptions that were declared come back after each connect", Feature.Attributes, async (t, engine) => {
    const { site, driver } = await online(t, engine, { clean_session: false });
    site.server.faults.killSessions();
    await subscribed(driver);
    await site.rest("POST", "/api/plugins/telemetry/DEVICE/{id}/SHARED_SCOPE", { rate: 1 });
    assert.equal((await driver.event("SharedAttributes")).payload, '{"rate":1}');
    assert.deepEqual(driver.of("Connected").map(({ reason }) => reason), [1, 1], "this server says session present without remembering");
  });
});
