// Options as JavaScript may pass them, where no compiler looks: what is not as documented is refused by its name.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DeviceClient, GatewayClient, InvalidValueError, MemoryStore, provision, type DeviceClient as Client } from "../../host/node/index.ts";
import { connected } from "./harness.ts";

const NO_INTEGERS: readonly unknown[] = [1.5, NaN, Infinity, "1", null, true, 1n, {}, 2 ** 32 + 1];
const NO_QOS = [...NO_INTEGERS, 257, 256, 2, -1];
const NO_COUNT = [...NO_INTEGERS, -1];
const NO_TIMEOUT = [...NO_COUNT, 0, 86_400_001];

/** What refuses an option: by its name, and the call does nothing. */
function refusal(name: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof InvalidValueError, `${String(error)} for ${name}`);
    assert.deepEqual([error.status, error.text], ["InvalidValue", name]);
    return true;
  };
}

type Call = (client: Client, options: never) => unknown;

const PUBLISHES: Readonly<Record<string, Call>> = {
  publish: (client, options) => client.publish("t", "x", options),
  sendTelemetry: (client, options) => client.sendTelemetry({ a: 1 }, options),
  sendAttributes: (client, options) => client.sendAttributes({ a: 1 }, options),
  claim: (client, options) => client.claim({}, options),
};
const SUBSCRIBES: Readonly<Record<string, Call>> = {
  subscribe: (client, options) => client.subscribe("t", options),
  subscribeStream: (client, options) => client.subscribeStream("t", options),
};
const REQUESTS: Readonly<Record<string, Call>> = {
  requestAttributes: (client, options) => client.requestAttributes(options),
  requestRpc: (client, options) => client.requestRpc("m", {}, options),
};

/** The option of a call, and what it must not be. */
const CASES: readonly (readonly [Readonly<Record<string, Call>>, string, readonly unknown[]])[] = [
  [PUBLISHES, "qos", NO_QOS],
  [PUBLISHES, "retain", [0, 1, "true", null]],
  [PUBLISHES, "whenFull", ["rejct", "", 0, null]],
  [SUBSCRIBES, "qos", NO_QOS],
  [SUBSCRIBES, "queueMessages", NO_COUNT],
  [SUBSCRIBES, "messageBytesMax", NO_COUNT],
  [{ subscribeStream: SUBSCRIBES["subscribeStream"]! }, "partsMax", [...NO_COUNT, 0]],
  [REQUESTS, "timeoutMs", NO_TIMEOUT],
  [{ claim: (client, options) => client.claim(options) }, "durationMs", [...NO_INTEGERS.filter((value) => value !== 2 ** 32 + 1), -1, 2 ** 53]],
  [{ subscribeAttributes: (client, options) => client.subscribeAttributes(["a"], options) }, "handler", [1, "f", null]],
];

/** Calls that answer by a promise reject, the others throw. */
const call = async (run: () => unknown): Promise<unknown> => run();

test("options of verbs that are not as documented are refused by name, and nothing is sent", async (t) => {
  const { link, client } = await connected(t);
  for (const [calls, name, values] of CASES) {
    for (const [verb, run] of Object.entries(calls)) {
      for (const value of values) await assert.rejects(call(() => run(client, { [name]: value } as never)), refusal(name), `${verb} ${name} ${String(value)}`);
    }
  }
  for (const kind of ["sofware", "", 1, null]) {
    await assert.rejects(call(() => client.startOta(kind as never)), refusal("kind"));
    await assert.rejects(call(() => client.stopOta(kind as never)), refusal("kind"));
  }
  await client.publish("end", "x", { qos: 1, retain: false, whenFull: "wait" });
  assert.deepEqual(link.packets.map(({ cmd }) => cmd), ["connect", "publish"]);
});

test("options of children are refused alike", async (t) => {
  const gateway = new GatewayClient({ mqtt_host: "127.0.0.1" });
  t.after(() => gateway.stop());
  void gateway.connectChild("c").catch(() => {}); // nothing is there to connect to
  const child = gateway.child("c")!;
  for (const qos of NO_QOS as never[]) {
    await assert.rejects(gateway.connectChild("d", undefined, { qos }), refusal("qos"));
    await assert.rejects(gateway.disconnectChild("d", { qos }), refusal("qos"));
    await assert.rejects(gateway.sendChildTelemetry([["c", [{ a: 1 }]]], { qos }), refusal("qos"));
    await assert.rejects(gateway.sendChildAttributes([["c", { a: 1 }]], { qos }), refusal("qos"));
    await assert.rejects(child.sendTelemetry({ a: 1 }, { qos }), refusal("qos"));
    await assert.rejects(child.sendAttributes({ a: 1 }, { qos }), refusal("qos"));
    await assert.rejects(child.claim({}, { qos }), refusal("qos"));
  }
  for (const timeoutMs of NO_TIMEOUT as never[]) await assert.rejects(child.requestAttributes({ scope: "shared", keys: ["a"], timeoutMs }), refusal("timeoutMs"));
  await assert.rejects(child.requestAttributes({ scope: "shraed" as never, keys: ["a"] }), refusal("scope"));
  await assert.rejects(child.claim({ durationMs: NaN }), refusal("durationMs"));
  assert.equal(gateway.child("d"), undefined);
});

test("options of clients, apps and provisioning are refused alike", async () => {
  const configuration = { mqtt_host: "127.0.0.1" };
  for (const name of ["waitingMax", "splitPoints", "queueMessages", "memoryBytes"]) {
    for (const value of NO_COUNT) assert.throws(() => new DeviceClient(configuration, { [name]: value }), refusal(name), `${name} ${String(value)}`);
  }
  assert.throws(() => new DeviceClient(configuration, { whenFull: "never" as never }), refusal("whenFull"));
  assert.throws(() => new DeviceClient(configuration, { profile: "devcie" as never }), refusal("profile"));
  for (const timeoutMs of [...NO_COUNT, 0] as never[]) {
    await assert.rejects(provision(configuration, { provisionDeviceKey: "k", provisionDeviceSecret: "s" }, { timeoutMs }), refusal("timeoutMs"));
  }
  const client = new DeviceClient(configuration);
  const app = readFileSync(new URL("../../build/apps/thermostat.wasm", import.meta.url));
  for (const name of ["memoryBytes", "fuel"]) for (const value of NO_COUNT) assert.throws(() => client.runApp(app, { [name]: value }), refusal(name));
  for (const bytes of [-4096, NaN, 100, "4096"] as never[]) assert.throws(() => new MemoryStore({ 0: bytes }), RangeError);
  await client.stop();
});
