// Telemetry and client attributes in every form arrive in the server's device as what was sent.

import assert from "node:assert/strict";
import { Feature } from "../../build/generated/abi.ts";
import { behaviour, online } from "./harness.ts";

const timeseries = "/api/plugins/telemetry/DEVICE/{id}/values/timeseries?useStrictDataTypes=true&keys=";

behaviour("telemetry and attributes", (check) => {
  check("a message built member by member is stored with its types", async (t, engine) => {
    const { site, driver } = await online(t, engine, { staging_buffer: 512 });
    await driver.run("begin");
    await driver.run("add_integer", "low", "-9223372036854775808");
    await driver.run("add_integer", "high", "9223372036854775807");
    await driver.run("add_decimal", "temperature", -215, 1);
    await driver.run("add_double", "humidity", "48.126", 2);
    await driver.run("add_boolean", "enabled", "true");
    await driver.run("add_text", "text", 'tab\tline\n"quoted" \\ é 😀');
    await driver.run("add_json", "ready", '{"a":[1,2,{}]}');
    await driver.run("object_begin", "nested");
    await driver.run("array_begin", "list");
    await driver.run("add_null", "");
    await driver.run("add_integer", "", 5);
    await driver.run("array_end");
    await driver.run("object_end");
    const id = await driver.run("send_telemetry", 1);
    assert.equal((await driver.event("Delivered")).id, id);
    assert.deepEqual(Object.fromEntries(site.telemetry), {
      low: -9223372036854775808n, high: 9223372036854775807n, temperature: -21.5, humidity: 48.13, enabled: true,
      text: 'tab\tline\n"quoted" \\ é 😀', ready: { a: [1, 2, {}] }, nested: { list: [null, 5] },
    });
    const { text } = await site.rest("GET", `${timeseries}temperature,high`);
    assert.match(text, /"value":-21\.5/);
    assert.match(text, /"value":9223372036854775807/, "64 bits survive the whole way");
  });

  check("entries keep their time stamps", async (t, engine) => {
    const { site, driver } = await online(t, engine);
    await driver.run("begin");
    await driver.run("timestamp", 1_700_000_000_000);
    await driver.run("add_integer", "n", 1);
    await driver.run("timestamp", 1_700_000_001_000);
    await driver.run("add_integer", "n", 2);
    await driver.run("send_telemetry", 1);
    await driver.event("Delivered");
    const points = site.device.history.get("n")!.map(({ tsMs, value }) => [tsMs, value.type === "long" ? Number(value.value) : value]);
    assert.deepEqual(points, [[1_700_000_000_000, 1], [1_700_000_001_000, 2]]);
  });

  check("ready JSON in each form of the telemetry API", async (t, engine) => {
    const { site, driver } = await online(t, engine);
    await driver.run("telemetry", '{"plain":1}', 1);
    await driver.run("telemetry", '[{"listed":2},{"second":3}]', 1);
    await driver.run("telemetry", '{"ts":1700000000000,"values":{"stamped":4}}', 1);
    await driver.run("telemetry", '[{"ts":1700000000001,"values":{"first":5}},{"ts":1700000000002,"values":{"last":6}}]', 1);
    await driver.until("four PUBACKs", () => driver.of("Delivered").length === 4);
    assert.deepEqual(Object.fromEntries(site.telemetry), { plain: 1, listed: 2, second: 3, stamped: 4, first: 5, last: 6 });
    assert.equal(site.device.latest.get("last")!.tsMs, 1_700_000_000_002);
  });

  check("QoS 0 is stored without Delivered, QoS 1 with it, and the configuration decides when nothing is said", async (t, engine) => {
    const { site, driver } = await online(t, engine, { qos: 0 });
    assert.equal(await driver.run("telemetry", '{"silent":1}'), 0, "no id at QoS 0");
    assert.equal(await driver.run("telemetry", '{"also":1}', 0), 0);
    const id = await driver.run("telemetry", '{"loud":1}', 1);
    assert.ok(id > 0);
    assert.equal((await driver.event("Delivered")).id, id);
    await site.stored("silent", "also", "loud");
    assert.equal(driver.of("Delivered").length, 1);
    const { stats } = await driver.stats();
    assert.deepEqual([stats.MessagesQueued, stats.MessagesSent, stats.MessagesDelivered, stats.MessagesResent], [3, 3, 1, 0]);
  });

  check("what the server cannot take is refused before it is sent", async (t, engine) => {
    const { site, driver } = await online(t, engine);
    for (const [json, status] of [["[]", "InvalidValue"], ["5", "InvalidValue"], ["{", "MoreBytes"], ['{"a":01}', "Malformed"], ['{"a":1}x', "Malformed"]]) {
      assert.equal((await driver.ask("telemetry", json!)).status, status, json);
    }
    assert.equal((await driver.ask("attributes", '[{"a":1}]')).status, "InvalidValue", "attributes are an object");
    await driver.run("telemetry", '{"after":1}', 1);
    await driver.event("Delivered");
    assert.deepEqual([...site.telemetry.keys()], ["after"]);
    assert.equal((await driver.stats()).stats.Disconnects, 0);
  });

  check("client attributes are stored, and overwritten by the next ones", async (t, engine) => {
    const { site, driver } = await online(t, engine);
    await driver.run("attributes", '{"model":"m1","serial":7,"tags":["a"]}', 1);
    await driver.event("Delivered");
    await driver.run("begin");
    await driver.run("add_text", "model", "m2");
    await driver.run("send_attributes", 1);
    await driver.event("Delivered");
    const { text } = await site.rest("GET", "/api/plugins/telemetry/DEVICE/{id}/values/attributes/CLIENT_SCOPE");
    const values = (JSON.parse(text) as { key: string; value: unknown }[]).map(({ key, value }) => [key, value]);
    assert.deepEqual(Object.fromEntries(values), { model: "m2", serial: 7, tags: ["a"] });
  });

  check("a topic and its payload take as much of the staging area as they have bytes, and the options four behind them", Feature.Raw, async (t, engine) => {
    const { driver } = await online(t, engine, { staging_buffer: 128 });
    for (const [bytes, qos, needed] of [[127, [], 0], [128, [], 129], [123, [1], 0], [124, [1], 132]] as const) {
      const { status, text, value } = await driver.ask("publish", "t", "x".repeat(bytes), ...qos);
      assert.deepEqual(needed === 0 ? [status] : [status, text, value], needed === 0 ? ["Ok"] : ["TooLarge", "staging_buffer", needed], `${bytes} ${qos.join()}`);
    }
  });
});
