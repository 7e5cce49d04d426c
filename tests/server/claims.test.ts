// Claiming: what the device publishes, what the server keeps of it, and what the customer is told over REST (spec 2.8, 11.12, 11.19).

import assert from "node:assert/strict";
import type { LocalServer } from "../../host/server/server.ts";
import { mqttJs, onlyDevice, publish, type RawClient, rawLogin, rest, type RestAnswer, start, test } from "./harness.ts";

const topic = "v1/devices/me/claim";
const path = "/api/customer/device/Demo%20device/claim";
const dayMs = 86_400_000;

const claim = (server: LocalServer, secretKey?: string): Promise<RestAnswer> =>
  rest(server, "POST", path, secretKey === undefined ? undefined : JSON.stringify({ secretKey }));

async function request(client: RawClient, payload: string): Promise<void> {
  client.send(publish(topic, payload));
  await client.expectBytes("40 02 00 07");
}

test("a claimed device belongs to the customer; a second customer is told CLAIMED, and giving it back frees it", async (t) => {
  const server = await start(t);
  const client = await mqttJs(t, server);
  await client.publishAsync(topic, '{"secretKey":"abc","durationMs":60000}', { qos: 1 });
  const first = await claim(server, "abc");
  const { device, response } = JSON.parse(first.text);
  assert.deepEqual([first.status, response, device.id.id], [200, "SUCCESS", onlyDevice(server).id]);
  const owner = async (): Promise<string> => JSON.parse((await rest(server, "GET", `/api/device/${onlyDevice(server).id}`)).text).customerId.id;
  assert.equal(await owner(), device.customerId.id);
  assert.deepEqual(await claim(server, "abc"), { status: 400, text: '"CLAIMED"' });
  await client.publishAsync(topic, '{"secretKey":"new"}', { qos: 1 });
  assert.deepEqual(await claim(server, "new"), { status: 400, text: '"CLAIMED"' });
  assert.equal((await rest(server, "DELETE", path)).status, 200);
  assert.equal(await owner(), "13814000-1dd2-11b2-8080-808080808080");
  await client.publishAsync(topic, '{"secretKey":"new"}', { qos: 1 });
  assert.equal((await claim(server, "new")).status, 200);
});

test("every accepted form of the payload, with the key and the duration it stands for", async (t) => {
  let nowMs = 1_000_000;
  const server = await start(t, { now: () => nowMs, inactivityTimeoutMs: 10 * dayMs });
  const client = await rawLogin(t, server);
  const cases: [payload: string, key: string | undefined, durationMs: number][] = [
    ["", "", dayMs],
    ["{}", undefined, dayMs],
    ['{"secretKey":"k"}', "k", dayMs],
    ['{"secretKey":"k","durationMs":0}', "k", dayMs],
    ['{"secretKey":"k","durationMs":-5}', "k", dayMs],
    ['{"secretKey":"k","durationMs":1000}', "k", 1000],
    ['{"secretKey":"k","durationMs":"1000"}', "k", 1000],
    ['{"secretKey":"k","durationMs":1000.9}', "k", 1000],
    ["{secretKey:'k'}", "k", dayMs],
    ['{"secretKey":5}', "5", dayMs],
    ['{"secretKey":["k"]}', "k", dayMs],
  ];
  for (const [payload, key, durationMs] of cases) {
    // The cache forgets after a day, whatever the duration is.
    for (const [laterMs, status] of [[Math.min(durationMs, dayMs - 1), 200], [durationMs + 1, 400]] as const) {
      await request(client, payload);
      nowMs += laterMs;
      const answer = await claim(server, key);
      assert.equal(answer.status, status, `${payload} after ${laterMs}`);
      if (status === 400) assert.equal(answer.text, '"FAILURE"');
      await rest(server, "DELETE", path);
    }
  }
});

test("a second request does not replace a cached one; a wrong key takes it away", async (t) => {
  let nowMs = 0;
  const server = await start(t, { now: () => nowMs });
  const client = await rawLogin(t, server);
  await request(client, '{"secretKey":"first","durationMs":1000}');
  await request(client, '{"secretKey":"second","durationMs":9000}');
  assert.deepEqual(await claim(server, "second"), { status: 400, text: '"FAILURE"' });
  assert.deepEqual(await claim(server, "first"), { status: 400, text: '"FAILURE"' });
  await request(client, '{"secretKey":"second","durationMs":9000}');
  nowMs = 1001;
  assert.equal((await claim(server, "second")).status, 200);
});

test("no request, no claim; no such device is 404", async (t) => {
  const server = await start(t);
  assert.deepEqual(await claim(server, ""), { status: 400, text: '"FAILURE"' });
  assert.equal((await rest(server, "POST", "/api/customer/device/none/claim", "{}")).status, 404);
  assert.equal((await rest(server, "POST", path, '{"secretKey":5}')).status, 400);
});

test("where claiming is not allowed by default, the server attribute claimingAllowed decides, and a claim uses it up", async (t) => {
  const server = await start(t, { claims: { isAllowedByDefault: false } });
  const client = await rawLogin(t, server);
  const device = onlyDevice(server);
  const allow = (value: string): Promise<RestAnswer> =>
    rest(server, "POST", `/api/plugins/telemetry/DEVICE/${device.id}/SERVER_SCOPE`, `{"claimingAllowed":${value}}`);
  for (const [value, status] of [[null, 400], ["false", 400], ['"true"', 400], ["true", 200]] as const) {
    if (value !== null) await allow(value);
    await request(client, '{"secretKey":"k"}');
    assert.equal((await claim(server, "k")).status, status, String(value));
  }
  assert.equal(device.attributes.SERVER_SCOPE.has("claimingAllowed"), false);
  await rest(server, "DELETE", path);
  assert.deepEqual(device.attributes.SERVER_SCOPE.get("claimingAllowed")?.value, { type: "boolean", value: true });
});

test("wrong payloads: R2 for another shape, R4 for null and what is no number", async (t) => {
  const server = await start(t);
  for (const payload of ["[]", "5", "null", "{", '{"secretKey":[]}', '{"durationMs":[1,2]}']) {
    const v5 = await rawLogin(t, server, 5);
    v5.send(publish(topic, payload));
    await v5.expectBytes("40 04 00 07 99 00").catch((error: Error) => assert.fail(`${payload}: ${error.message}`));
    const v4 = await rawLogin(t, server);
    v4.send(publish(topic, payload));
    await v4.expectClose();
  }
  for (const payload of ['{"secretKey":null}', '{"durationMs":null}', '{"durationMs":"soon"}', '{"durationMs":true}', '{"secretKey":{}}']) {
    const v5 = await rawLogin(t, server, 5);
    v5.send(publish(topic, payload));
    await v5.expectBytes("e0 02 8b 00").catch((error: Error) => assert.fail(`${payload}: ${error.message}`));
    await v5.expectClose();
  }
});

test("a gateway claims for its children, each by its own key", async (t) => {
  const server = await start(t, { devices: [{ name: "gate", token: "DEMO_TOKEN", isGateway: true }] });
  const client = await rawLogin(t, server, 5);
  client.send(publish("v1/gateway/claim", '{"pump":{"secretKey":"p"},"fan":{"secretKey":"f","durationMs":60000}}'));
  await client.expectBytes("40 02 00 07");
  for (const [name, key] of [["pump", "p"], ["fan", "f"]]) {
    const answer = await rest(server, "POST", `/api/customer/device/${name}/claim`, JSON.stringify({ secretKey: key }));
    assert.deepEqual([answer.status, JSON.parse(answer.text).device.name], [200, name]);
  }
  client.send(publish("v1/gateway/claim", '{"pump":{"secretKey":null}}'));
  await client.expectBytes("40 04 00 07 99 00");
});
