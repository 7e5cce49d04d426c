// What a client does, the same on every engine: each test runs under V8, wasm3 and ahead of time.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { demoDevice, startServer, type LocalServer } from "../../host/server/server.ts";
import { listen } from "./harness.ts";
import { Driver, engines, PATIENCE_MS } from "./engine-driver.ts";

async function online(t: TestContext, engine: string): Promise<{ server: LocalServer; driver: Driver }> {
  const server = await startServer({ mqttPort: 0, restPort: 0 });
  t.after(() => server.close());
  const driver = new Driver(t, engine);
  const configuration = { mqtt_host: "127.0.0.1", mqtt_port: server.mqttPort, access_token: demoDevice.token, reconnect_min_ms: 10 };
  assert.equal((await driver.run("init", JSON.stringify(configuration)))["status"], "Ok");
  await driver.run("start");
  await driver.event("Connected");
  return { server, driver };
}

for (const engine of engines) {
  const check = (name: string, body: (t: TestContext) => Promise<void>): void => { test(`${engine}: ${name}`, body); };

  check("a message built member by member arrives as the same bytes", async (t) => {
    const broker = await listen(t);
    const driver = new Driver(t, engine);
    await driver.run("init", JSON.stringify({ mqtt_host: "127.0.0.1", mqtt_port: broker.port, rpc: false, shared_attributes: false, session_limits: false }));
    await driver.run("start");
    await driver.run("begin");
    await driver.run("add_decimal", "temperature", 255, 1);
    await driver.run("add_integer", "count", "-9223372036854775808");
    await driver.run("add_text", "text", 'a\tb\n"\\é😀');
    await driver.run("array_begin", "list");
    await driver.run("add_boolean", "", "true");
    await driver.run("add_null", "");
    await driver.run("array_end");
    const { result } = await driver.run("send_telemetry", 1);
    const published = await (await broker.link()).packet("publish");
    assert.equal(published.messageId, result);
    assert.equal(published.payload.toString(),
      '{"temperature":25.5,"count":-9223372036854775808,"text":"a\\u0009b\\u000a\\"\\\\é😀","list":[true,null]}');
    assert.equal((await driver.event("Delivered"))["id"], result);
  });

  check("entries with times become a list", async (t) => {
    const broker = await listen(t);
    const driver = new Driver(t, engine);
    await driver.run("init", JSON.stringify({ mqtt_host: "127.0.0.1", mqtt_port: broker.port, rpc: false, shared_attributes: false, session_limits: false }));
    await driver.run("start");
    await driver.run("begin");
    for (const ts of [1700000000000, 1700000001000]) {
      await driver.run("timestamp", ts);
      await driver.run("add_integer", "a", 1);
    }
    await driver.run("send_telemetry");
    assert.equal((await (await broker.link()).packet("publish")).payload.toString(),
      '[{"ts":1700000000000,"values":{"a":1}},{"ts":1700000001000,"values":{"a":1}}]');
  });

  check("an RPC is delivered with its parts and answered", async (t) => {
    const { server, driver } = await online(t, engine);
    await driver.event("Subscribed");
    const { id } = server.devices.byToken(demoDevice.token)!;
    const answer = fetch(`${server.restUrl}/api/rpc/twoway/${id}`, {
      method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify({ method: "setLed", params: { on: true } }), signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const request = await driver.event("RpcRequest");
    assert.deepEqual([request["name"], request["value"]], ["setLed", '{"on":true}']);
    await driver.run("rpc_reply", Number(request["id"]), '{"ok":true}');
    assert.equal(await (await answer).text(), '{"ok":true}');
  });

  check("a cut connection comes back, and what was queued meanwhile arrives", async (t) => {
    const { server, driver } = await online(t, engine);
    server.faults.killSessions();
    assert.match(String((await driver.event("Disconnected"))["reason_name"]), /^Connection(Reset|Closed)$/);
    const stored = server.events.next("telemetry", ({ key }) => key === "after", PATIENCE_MS);
    await driver.run("telemetry", '{"after":1}', 1);
    await driver.event("Connected");
    await stored;
    await driver.event("Delivered");
  });

  check("refused calls have the same names", async (t) => {
    const { driver } = await online(t, engine);
    const status = async (...fields: (string | number)[]): Promise<unknown> => (await driver.run(...fields))["status"];
    assert.equal(await status("publish", "a/+", "x"), "InvalidTopic");
    assert.equal(await status("telemetry", "{"), "MoreBytes");
    assert.equal(await status("telemetry", "[]"), "InvalidValue");
    assert.equal(await status("telemetry", "5"), "InvalidValue");
    assert.equal(await status("unsubscribe", "never/declared"), "NotFound");
    assert.equal(await status("send_telemetry"), "BadState");
    assert.equal(await status("init", "{}"), "BadState");
    assert.equal(await status("no_such_verb"), "NotFound");
  });

  check("a configuration is refused by status and key", async (t) => {
    const driver = new Driver(t, engine);
    for (const [text, status, key] of [
      ['{"mqtt_host":"h","mqtt_hots":"i"}', "UnknownKey", "mqtt_hots"],
      ['{"mqtt_host":"h","qos":"1"}', "WrongType", "qos"],
      ['{"mqtt_host":"h","qos":2}', "InvalidValue", "qos"],
      ["{}", "MissingKey", "mqtt_host"],
    ] as const) {
      const answer = await driver.run("init", text);
      assert.deepEqual([answer["status"], answer["text"]], [status, key]);
    }
  });

  check("disconnect drains and tells; the client starts again", async (t) => {
    const { server, driver } = await online(t, engine);
    await driver.run("telemetry", '{"last":1}', 1);
    await driver.run("disconnect");
    await driver.event("Delivered");
    assert.equal((await driver.event("Disconnected"))["reason_name"], "Requested");
    assert.equal((await driver.stats()).state, "Stopped");
    const again = server.events.next("connected", () => true, PATIENCE_MS);
    await driver.run("start");
    await again;
    await driver.event("Connected");
  });
}
