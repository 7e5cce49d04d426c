// What the server asks for and tells: attribute requests and updates, server-side RPC, and downlinks that break the rules.

import assert from "node:assert/strict";
import { Feature } from "../../build/generated/abi.ts";
import { behaviour, online } from "./harness.ts";

const shared = "/api/plugins/telemetry/DEVICE/{id}/SHARED_SCOPE";
const rpc = (direction: "oneway" | "twoway"): string => `/api/rpc/${direction}/{id}`;

behaviour("downlinks", (check) => {
  check("a request for attributes is answered with those of both scopes", Feature.Attributes, async (t, engine) => {
    const { site, driver } = await online(t, engine);
    await driver.run("attributes", '{"model":"m1","hidden":1}', 1);
    await driver.event("Delivered");
    await site.rest("POST", shared, { rate: 45, other: 2 });
    await driver.event("SharedAttributes");
    const id = await driver.run("request_attributes", "model", "rate,absent", 15_000);
    const response = await driver.event("AttributesResponse");
    assert.equal(response.id, id);
    assert.deepEqual(JSON.parse(response.payload!), { client: { model: "m1" }, shared: { rate: 45 } });
    const all = await driver.run("request_attributes", "", "", 15_000);
    const everything = await driver.event("AttributesResponse", (event) => event.id === all);
    assert.deepEqual(JSON.parse(everything.payload!), { client: { model: "m1", hidden: 1 }, shared: { rate: 45, other: 2 } });
  });

  check("a request without an answer times out, and its number can be asked for again", Feature.Attributes, async (t, engine) => {
    const { site, driver } = await online(t, engine, { max_requests: 1 });
    site.server.faults.dropResponse();
    const id = await driver.run("request_attributes", "a", "", 300);
    assert.equal((await driver.ask("request_attributes", "b", "", 300)).status, "Full", "one request may be open");
    assert.equal((await driver.event("RequestTimeout")).id, id);
    const next = await driver.run("request_attributes", "b", "", 15_000);
    assert.equal((await driver.event("AttributesResponse")).id, next);
    assert.equal((await driver.stats()).stats.RequestTimeouts, 1);
  });

  check("shared attributes that change or are deleted are told", Feature.Attributes, async (t, engine) => {
    const { site, driver } = await online(t, engine);
    await site.rest("POST", shared, { rate: 45, text: "é" });
    assert.deepEqual(JSON.parse((await driver.event("SharedAttributes")).payload!), { rate: 45, text: "é" });
    await site.rest("DELETE", `${shared}?keys=rate`);
    assert.deepEqual(JSON.parse((await driver.event("SharedAttributes")).payload!), { deleted: ["rate"] });
  });

  check("a two-way RPC gets its reply", async (t, engine) => {
    const { site, driver } = await online(t, engine);
    const answer = site.rest("POST", rpc("twoway"), { method: "setLed", params: { on: true, pin: 5 } });
    const request = await driver.event("RpcRequest");
    assert.deepEqual([request.name, JSON.parse(request.value)], ["setLed", { on: true, pin: 5 }]);
    await driver.run("rpc_reply", request.id, '{"ok":true}', 1);
    assert.deepEqual(await answer, { status: 200, text: '{"ok":true}' });
  });

  // The search has no bit of its own.
  check("a member of the params is found, and one that is not there is not", Feature.Attributes, async (t, engine) => {
    const { site, driver } = await online(t, engine);
    await site.rest("POST", rpc("oneway"), { method: "setLed", params: { on: true, pin: 5 } });
    await driver.event("RpcRequest");
    assert.ok(await driver.run("find", "value", "pin") > 0, "the member is found");
    assert.equal((await driver.ask("find", "value", "absent")).status, "NotFound");
  });

  check("a one-way RPC needs none, and one without params has none", async (t, engine) => {
    const { site, driver } = await online(t, engine);
    assert.equal((await site.rest("POST", rpc("oneway"), { method: "restart" })).status, 200);
    const request = await driver.event("RpcRequest");
    assert.deepEqual([request.name, request.value], ["restart", "null"], "the server writes null for absent params");
  });

  check("an unknown method is answered with an error, and the link lives on", async (t, engine) => {
    const { site, driver } = await online(t, engine);
    const answer = site.rest("POST", rpc("twoway"), { method: "fly", params: [] });
    const request = await driver.event("RpcRequest");
    assert.equal(request.name, "fly");
    await driver.run("rpc_reply", request.id, '{"error":"unknown method fly"}', 1);
    assert.deepEqual(JSON.parse((await answer).text), { error: "unknown method fly" });
    const next = site.rest("POST", rpc("twoway"), { method: "add", params: [1, 2] });
    const { id } = await driver.event("RpcRequest");
    await driver.run("begin");
    await driver.run("add_integer", "sum", 3);
    await driver.run("send_rpc_reply", id, 0);
    assert.equal((await next).text, '{"sum":3}');
    assert.equal((await driver.stats()).stats.Disconnects, 0);
  });

  check("many RPCs at once are answered each with its own reply", async (t, engine) => {
    const { site, driver } = await online(t, engine);
    const numbers = [...Array(20).keys()];
    const answers = numbers.map((n) => site.rest("POST", rpc("twoway"), { method: "echo", params: { n } }));
    for (const _ of numbers) {
      const request = await driver.event("RpcRequest");
      await driver.run("rpc_reply", request.id, request.value, 0);
    }
    assert.deepEqual((await Promise.all(answers)).map(({ text }) => text), numbers.map((n) => `{"n":${n}}`));
  });

  check("an RPC that is too large is answered by the client itself", async (t, engine) => {
    const { site, driver } = await online(t, engine, { receive_buffer: 128 });
    const answer = await site.rest("POST", rpc("twoway"), { method: "load", params: "z".repeat(500) });
    assert.deepEqual(JSON.parse(answer.text), { error: "too_large" });
    const event = await driver.event("MessageTooLarge");
    assert.ok(event.total > 500, `total ${event.total}`);
    assert.equal((await driver.stats()).stats.InboundTooLarge, 1);
    const small = site.rest("POST", rpc("twoway"), { method: "ok" });
    await driver.run("rpc_reply", (await driver.event("RpcRequest")).id, "1", 0);
    assert.equal((await small).text, "1");
  });

  check("the reply may come before the PUBACK", Feature.Attributes, async (t, engine) => {
    const { site, driver } = await online(t, engine, { qos: 1 });
    site.server.faults.replyBeforePuback();
    const id = await driver.run("request_attributes", "a", "", 15_000);
    assert.equal((await driver.event("AttributesResponse")).id, id);
    await driver.run("telemetry", '{"after":1}', 1);
    await driver.event("Delivered");
    const { stats } = await driver.stats();
    assert.deepEqual([stats.AcknowledgementsUnknown, stats.Disconnects], [0, 0]);
  });

  check("packet id 0, which ThingsBoard sends at times, is delivered and never acknowledged", Feature.Attributes, async (t, engine) => {
    const { site, driver } = await online(t, engine);
    site.server.faults.packetIdZero();
    await site.rest("POST", shared, { rate: 1 });
    assert.equal((await driver.event("SharedAttributes")).payload, '{"rate":1}');
    await site.rest("POST", shared, { rate: 2 });
    assert.equal((await driver.event("SharedAttributes")).payload, '{"rate":2}');
    await driver.run("telemetry", '{"after":1}', 1);
    await driver.event("Delivered");
    const { stats } = await driver.stats();
    assert.deepEqual([stats.MessagesReceived, stats.Disconnects, stats.ProtocolErrors], [2, 0, 0]);
  });
});
