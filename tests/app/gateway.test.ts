// What an app does for the children of a gateway, against the local server. The engine that is compiled ahead of time carries no gateway.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test, type TestContext } from "node:test";
import { Status } from "../../build/generated/abi.ts";
import { GatewayClient } from "../../host/node/index.ts";
import { plainValue } from "../../host/server/values.ts";
import { Site } from "../behaviour/harness.ts";
import { PATIENCE_MS } from "../behaviour/watch.ts";
import { AppDevice } from "./device.ts";
import { compileToFile, HEAD, LIBRARY } from "./sources.ts";

const TOKEN = "GATE";

/** Does for one child what RPCs to the gateway ask for, and answers for it. */
const STEWARD = `
import { addBoolean, addDecimal, addInteger, addJson, addText, beginArray, beginMessage, beginObject, claimChildren, connectChild, disconnectChild, endLevel, equals, eventId,
  EventKind, eventName, eventTopic, eventValue, requestChildAttributes, sendAttributes, sendChildAttributes, sendChildRpcReply, sendChildTelemetry, sendRpcReply, Text, text } from "${LIBRARY}";
${HEAD}
let result: i32 = 0;
function is(method: Text): bool { return equals(eventName(), method); }
function name(): void { beginMessage(); addText(text("device"), text("c \\"1\\"")); }
function open(): void { beginMessage(); beginObject(text("c \\"1\\"")); }
export function setup(): void {}
function run(): void {
  if (is(text("connect"))) { name(); addText(text("type"), text("pump")); result = connectChild(); }
  if (is(text("disconnect"))) { name(); result = disconnectChild(); }
  if (is(text("attributes"))) { open(); addText(text("sn"), text("77")); endLevel(); result = sendChildAttributes(); }
  if (is(text("claim"))) { open(); addText(text("secretKey"), text("k")); endLevel(); result = claimChildren(); }
  if (is(text("telemetry"))) {
    beginMessage();
    beginArray(text("c \\"1\\""));
    beginObject(0); addInteger(text("ts"), 1700000000000); beginObject(text("values")); addDecimal(text("p"), 25, 1); endLevel(); endLevel();
    endLevel();
    result = sendChildTelemetry();
  }
  if (is(text("empty"))) { beginMessage(); beginArray(text("c")); endLevel(); result = sendChildTelemetry(); }
  if (is(text("nothing"))) {
    beginMessage();
    addInteger(text("id"), 0); addText(text("device"), text(",")); addBoolean(text("client"), false);
    beginArray(text("keys")); endLevel();
    result = requestChildAttributes(5000);
  }
  if (is(text("request"))) {
    beginMessage();
    addInteger(text("id"), 0); addText(text("device"), text("c \\"1\\"")); addBoolean(text("client"), false);
    beginArray(text("keys")); addText(0, text("rate")); endLevel();
    result = requestChildAttributes(5000);
  }
}
export function on_event(kind: i32, length: i32): void {
  if (kind == EventKind.RpcRequest) {
    run();
    beginMessage(); addInteger(text("result"), result); sendRpcReply(eventId());
  }
  if (kind == EventKind.ChildRpcRequest) {
    const id = eventId();
    name(); addInteger(text("id"), id); beginObject(text("data")); addJson(text("echo"), eventValue()); endLevel();
    sendChildRpcReply();
  }
  if (kind == EventKind.ChildAttributesResponse || kind == EventKind.ChildAttributes) {
    beginMessage(); addJson(kind == EventKind.ChildAttributes ? text("changed") : text("got"), eventValue()); sendAttributes();
  }
}
`;

let steward = "";

before(async () => {
  steward = await compileToFile("steward", STEWARD);
});

/** A gateway whose app answers, on an engine. */
async function gateway(t: TestContext, engine: string): Promise<{ site: Site; ask: (method: string, params?: unknown, child?: string) => Promise<unknown>; id: (name: string) => string }> {
  const site = await Site.open(t);
  site.server.addDevice({ name: "gate", token: TOKEN, isGateway: true });
  if (engine === "v8") {
    const client = new GatewayClient({ mqtt_host: "127.0.0.1", mqtt_port: site.port, access_token: TOKEN });
    t.after(() => client.stop());
    client.runApp(readFileSync(steward));
    await client.connect();
  } else {
    const device = new AppDevice(t, engine, steward, site.port, { access_token: TOKEN }, ["--profile", "gateway"]);
    await device.shows("Connected");
  }
  const id = (name: string): string => site.server.devices.byName(name)!.id;
  await site.until("the subscription to RPC", () => site.server.devices.byName("gate")!.session?.isSubscribedToRpc === true);
  const ask = async (method: string, params: unknown = {}, child = "gate"): Promise<unknown> => {
    const { status, text } = await site.rest("POST", `/api/rpc/twoway/${id(child)}`, { method, params, timeout: PATIENCE_MS });
    assert.equal(status, 200, `${method}: ${text}`);
    return JSON.parse(text) as unknown;
  };
  return { site, ask, id };
}

describe("gateways", { concurrency: true }, () => {
  for (const engine of ["v8", "wasm3"]) {
    test(`${engine}: an app speaks for a child`, { timeout: 3 * PATIENCE_MS }, async (t) => {
      const { site, ask, id } = await gateway(t, engine);
      const name = 'c "1"';
      const run = async (method: string): Promise<number> => (await ask(method) as { result: number }).result;
      const child = (): NonNullable<ReturnType<typeof site.server.devices.byName>> => site.server.devices.byName(name)!;
      assert.ok(await run("connect") > 0);
      await site.until("the child", () => site.server.devices.byName(name)?.session != null);
      assert.equal(child().type, "pump");
      assert.ok(await run("telemetry") > 0);
      await site.until("its telemetry", () => child().latest.has("p"));
      assert.deepEqual(child().latest.get("p"), { tsMs: 1700000000000, value: { type: "double", value: 2.5 } });
      assert.ok(await run("attributes") > 0);
      await site.until("its attributes", () => child().attributes.CLIENT_SCOPE.has("sn"));
      assert.equal(await run("empty"), Status.InvalidValue);
      assert.equal(await run("nothing"), Status.InvalidValue, "the server would answer with all attributes");

      const told = (key: string): unknown => {
        const found = site.server.devices.byName("gate")!.attributes.CLIENT_SCOPE.get(key);
        return found === undefined ? undefined : plainValue(found.value);
      };
      await site.rest("POST", `/api/plugins/telemetry/DEVICE/${id(name)}/attributes/SHARED_SCOPE`, { rate: 45 });
      await site.until("the change", () => told("changed") !== undefined);
      assert.deepEqual(told("changed"), { rate: 45 });
      assert.ok(await run("request") > 0);
      await site.until("the answer", () => told("got") !== undefined);
      assert.equal(told("got"), 45);
      assert.deepEqual(await ask("purge", { s: [5, "x"] }, name), { echo: { s: [5, "x"] } });

      assert.ok(await run("claim") > 0);
      let answer = "";
      for (let attempt = 0; attempt < 100 && answer !== "SUCCESS"; attempt++) {
        answer = (JSON.parse((await site.rest("POST", `/api/customer/device/${encodeURIComponent(name)}/claim`, { secretKey: "k" })).text) as { response: string }).response;
      }
      assert.equal(answer, "SUCCESS");
      assert.ok(await run("disconnect") > 0);
      await site.until("its end", () => child().session === null);
    });
  }
});
