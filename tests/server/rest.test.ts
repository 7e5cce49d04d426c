// REST: devices, telemetry latest and past, attributes, errors, bounds, and who is kept out.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { request as httpRequest } from "node:http";
import type { LocalServer } from "../../host/server/server.ts";
import { onlyDevice, publish, rawLogin, rest, type RestAnswer, start, test } from "./harness.ts";

const base = (server: LocalServer): string => `/api/plugins/telemetry/DEVICE/${onlyDevice(server).id}`;

test("devices are found by name and by id", async (t) => {
  const server = await start(t);
  const device = server.addDevice({ name: "pump 1", token: "PUMP" });
  const found = JSON.parse((await rest(server, "GET", "/api/tenant/devices?deviceName=pump%201")).text);
  assert.deepEqual([found.id, found.name], [{ entityType: "DEVICE", id: device.id }, "pump 1"]);
  assert.equal((await rest(server, "GET", "/api/tenant/devices?deviceName=none")).status, 404);
  assert.equal(JSON.parse((await rest(server, "GET", `/api/device/${device.id}`)).text).active, false);
  const list = async (query: string): Promise<unknown[]> => {
    const { data, totalPages, totalElements, hasNext } = JSON.parse((await rest(server, "GET", `/api/tenant/devices${query}`)).text);
    return [data.map(({ name }: { name: string }) => name), totalPages, totalElements, hasNext];
  };
  assert.deepEqual(await list(""), [["Demo device", "pump 1"], 1, 2, false]);
  assert.deepEqual(await list("?pageSize=1&page=0"), [["Demo device"], 2, 2, true]);
  assert.deepEqual(await list("?pageSize=1&page=1"), [["pump 1"], 2, 2, false]);
  assert.deepEqual(await list("?pageSize=1&page=2"), [[], 2, 2, false]);
  assert.throws(() => server.addDevice({ name: "pump 2", token: "PUMP" }), /access token/);
  assert.throws(() => server.addDevice({ name: "pump 1", token: "OTHER" }), /named/);
});

test("latest and historical telemetry, as text and in their types, with all 64 bits", async (t) => {
  const server = await start(t, { now: () => 50 });
  const client = await rawLogin(t, server);
  const points = [1, 2, 3].map((ts) => `{"ts":${ts},"values":{"t":${ts}.50,"n":9007199254740993}}`);
  client.send(publish("v1/devices/me/telemetry", `[${points.join(",")}]`));
  await client.expectBytes("40 02 00 07");
  const get = async (query: string): Promise<string> => (await rest(server, "GET", `${base(server)}/values/timeseries${query}`)).text;
  assert.equal(await get(""), '{"t":[{"ts":3,"value":"3.5"}],"n":[{"ts":3,"value":"9007199254740993"}]}');
  assert.equal(await get("?keys=n&useStrictDataTypes=true"), '{"n":[{"ts":3,"value":9007199254740993}]}');
  assert.equal(await get("?keys=none"), '{"none":[{"ts":50,"value":null}]}');
  assert.equal(await get("?keys=t&startTs=1&endTs=3"), '{"t":[{"ts":2,"value":"2.5"},{"ts":1,"value":"1.5"}]}');
  assert.equal(await get("?keys=t&startTs=0&endTs=9&limit=1&orderBy=ASC"), '{"t":[{"ts":1,"value":"1.5"}]}');
  assert.equal(await get("?keys=none&startTs=0&endTs=9"), "{}");
  assert.equal((await rest(server, "GET", `${base(server)}/values/timeseries?startTs=0&endTs=9`)).status, 400);
  assert.equal((await rest(server, "GET", `${base(server)}/values/timeseries?keys=t&startTs=x`)).status, 400);
  assert.equal((await rest(server, "GET", `${base(server)}/keys/timeseries`)).text, '["t","n"]');
});

test("attributes are written, read by scope and key, and deleted", async (t) => {
  const server = await start(t, { now: () => 50 });
  const path = base(server);
  assert.equal((await rest(server, "POST", `${path}/SHARED_SCOPE`, '{"a":"x","b":{"c":[1,2.0]},"d":1.0}')).status, 200);
  assert.equal((await rest(server, "POST", `${path}/attributes/SERVER_SCOPE`, '{"s":true}')).status, 200);
  const read = async (rest_: string): Promise<string> => (await rest(server, "GET", `${path}/values/attributes${rest_}`)).text;
  assert.equal(await read("/SHARED_SCOPE?keys=a,b"), '[{"lastUpdateTs":50,"key":"a","value":"x"},{"lastUpdateTs":50,"key":"b","value":{"c":[1,2.0]}}]');
  assert.equal(await read("?keys=s,d"), '[{"lastUpdateTs":50,"key":"d","value":1.0},{"lastUpdateTs":50,"key":"s","value":true}]');
  assert.equal((await rest(server, "DELETE", `${path}/SHARED_SCOPE?keys=a,b`)).status, 200);
  assert.equal(await read("/SHARED_SCOPE"), '[{"lastUpdateTs":50,"key":"d","value":1.0}]');
  assert.equal((await rest(server, "GET", `${path}/keys/attributes`)).text, '["d","s"]');
});

/** Of ThingsBoard's ThingsboardErrorCode: BAD_REQUEST_PARAMS, ITEM_NOT_FOUND, TOO_MANY_REQUESTS. */
const errorCodes: Record<number, number> = { 400: 31, 404: 32, 429: 33 };

test("wrong requests are answered with ThingsBoard's error body", async (t) => {
  const server = await start(t, { now: () => 50 });
  const path = base(server);
  const cases: [number, string, string, string?][] = [
    [404, "GET", "/api/nothing"],
    [404, "POST", "/api/rpc/threeway/x", '{"method":"m"}'],
    [400, "GET", "/api/%E0%A4%A"],
    [405, "PUT", "/api/device", "{}"],
    [405, "GET", `/api/rpc/oneway/${randomUUID()}`],
    [405, "DELETE", "/api/tenant/devices?x=1"],
    [413, "POST", `${path}/SHARED_SCOPE`, `{"a":"${"x".repeat(1_100_000)}"}`],
    [400, "POST", `${path}/SHARED_SCOPE`, `{"a":${"[".repeat(400)}${"]".repeat(400)}}`],
    [400, "POST", `${path}/SHARED_SCOPE`, '{" ":1}'],
    [400, "POST", `${path}/SHARED_SCOPE`, '{"a":1e99999}'],
    [400, "GET", `${path}/values/attributes/OTHER_SCOPE`],
    [400, "GET", `${path}/keys/attributes/OTHER_SCOPE`],
    [400, "GET", `${path}/values/timeseries?keys=t&startTs=1&endTs=9&limit=0`],
    [400, "GET", `${path}/values/timeseries?keys=t&startTs=1&endTs=9&limit=-1`],
    [400, "GET", `${path}/values/timeseries?keys=t&startTs=1&endTs=9&orderBy=UP`],
    [400, "GET", `${path}/values/timeseries?keys=t&startTs=1&endTs=9&agg=AVG&interval=1000`],
    [400, "GET", `${path}/values/timeseries?keys=t&startTs=1&startTs=2&endTs=9`],
    [400, "DELETE", `${path}/SHARED_SCOPE?keys=`],
    [400, "POST", "/api/device"],
    [400, "POST", "/api/device", "null"],
    [400, "POST", "/api/device", '{"name":5}'],
    [400, "POST", "/api/device?accessToken=", '{"name":"new"}'],
    [400, "GET", "/api/tenant/devices?pageSize=x"],
    [400, "GET", "/api/deviceProfiles?pageSize=1&page=-1"],
    [400, "GET", "/api/rpc/persistent/device/none?pageSize=1&page=0"],
    [400, "GET", `/api/rpc/persistent/device/${onlyDevice(server).id}?pageSize=0&page=0`],
    [400, "GET", `/api/rpc/persistent/device/${onlyDevice(server).id}?pageSize=1&page=0&rpcStatus=DELETED`],
    [400, "POST", `/api/rpc/twoway/${onlyDevice(server).id}`, '{"method":"m","timeout":-1}'],
    [400, "POST", `/api/rpc/twoway/${onlyDevice(server).id}`, '{"method":"m","expirationTime":99999999999999999999}'],
    [400, "POST", `/api/rpc/twoway/${onlyDevice(server).id}`, '{"method":"m","retries":"x"}'],
    [400, "GET", "/api/plugins/telemetry/DEVICE/none/values/attributes"],
    [404, "GET", `/api/plugins/telemetry/DEVICE/${randomUUID()}/values/attributes`],
    [400, "POST", "/api/rpc/oneway/none", '{"method":"m"}'],
    [404, "POST", `/api/rpc/oneway/${randomUUID()}`, '{"method":"m"}'],
    [400, "POST", `${path}/SHARED_SCOPE`, "{"],
    [400, "POST", `${path}/SHARED_SCOPE`, "[]"],
    [400, "POST", `${path}/SHARED_SCOPE`, "{}"],
    [400, "POST", `${path}/SHARED_SCOPE`, '{"a":null}'],
    [400, "POST", `${path}/CLIENT_SCOPE`, '{"a":1}'],
    [400, "POST", `${path}/OTHER_SCOPE`, '{"a":1}'],
    [400, "DELETE", `${path}/SHARED_SCOPE`],
    [400, "POST", `/api/rpc/twoway/${onlyDevice(server).id}`, "{}"],
    [400, "POST", `/api/rpc/twoway/${onlyDevice(server).id}`, '{"method":"m","timeout":"x"}'],
    [400, "GET", "/api/rpc/persistent/none"],
    [404, "GET", `/api/rpc/persistent/${randomUUID()}`],
  ];
  for (const [status, method, url, body] of cases) {
    const answer = await rest(server, method, url, body);
    assert.equal(answer.status, status, `${method} ${url} ${body}`);
    const error = JSON.parse(answer.text);
    assert.deepEqual([error.status, error.timestamp, typeof error.message], [status, 50, "string"]);
    if (status in errorCodes) assert.equal(error.errorCode, errorCodes[status]);
  }
});

test("pages of other sites are kept out", async (t) => {
  const server = await start(t);
  const status = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const request = httpRequest(`${server.restUrl}/api/mote/faults`, { headers, agent: false }, (response) => {
        response.resume().once("end", () => resolve(response.statusCode));
      });
      request.once("error", reject).end();
    });
  assert.equal(await status({}), 200);
  assert.equal(await status({ origin: server.restUrl }), 200);
  assert.equal(await status({ host: `localhost:${server.restPort}` }), 200);
  assert.equal(await status({ origin: "http://evil.example" }), 403);
  assert.equal(await status({ origin: "null" }), 403);
  assert.equal(await status({ host: "evil.example" }), 403);
});

test("bounds: the oldest point goes and is counted, further keys and RPCs are refused", async (t) => {
  const server = await start(t, { bounds: { historyPerKey: 2, keys: 2, pendingRpcs: 1 } });
  const client = await rawLogin(t, server);
  const device = onlyDevice(server);
  const points = [3, 1, 2, 2].map((ts) => `{"ts":${ts},"values":{"t":${ts}}}`);
  client.send(publish("v1/devices/me/telemetry", `[${points.join(",")}]`, 1, 1), publish("v1/devices/me/telemetry", '{"u":1,"v":1}', 1, 2));
  await client.expectBytes("40 02 00 01 40 02 00 02");
  assert.deepEqual(device.history.get("t")?.map(({ tsMs }) => tsMs), [2, 3]);
  assert.deepEqual([[...device.latest.keys()], device.latest.get("t")?.tsMs, device.droppedCount], [["t", "u"], 3, 2]);
  client.send(publish("v1/devices/me/attributes", '{"x":1,"y":1,"z":1}', 1, 3));
  await client.expectBytes("40 02 00 03");
  assert.equal(device.attributes.CLIENT_SCOPE.size, 2);
  const rpc = (): Promise<RestAnswer> => rest(server, "POST", `/api/rpc/twoway/${device.id}`, '{"method":"m","persistent":true}');
  assert.equal((await rpc()).status, 200);
  const { status, text } = await rpc();
  assert.deepEqual([status, JSON.parse(text).errorCode], [429, errorCodes[429]]);
});

test("attributes over REST are cast as those of a device, but for what only the rule engine does", async (t) => {
  const server = await start(t);
  const members = '"a":"25","b":"007","c":"1.50","d":"1e5","e":1e3,"f":42.0,"g":9223372036854775808,"h":0.30000000000000004,"i":20000000.0';
  assert.equal((await rest(server, "POST", `${base(server)}/SERVER_SCOPE`, `{${members}}`)).status, 200);
  const { text } = await rest(server, "GET", `${base(server)}/values/attributes/SERVER_SCOPE`);
  const values = [...text.matchAll(/"value":([^}]*)/g)].map(([, value]) => value);
  assert.deepEqual(values, ["25", "7", "1.5", '"1e5"', "1000", "42.0", '"9223372036854775808"', '"0.30000000000000004"', "2.0E7"]);
});

test("the other ways to say the same: short paths, keys one by one, a body as plain text", async (t) => {
  const server = await start(t);
  const { id } = onlyDevice(server);
  const short = `/api/plugins/telemetry/${id}/SHARED_SCOPE`;
  assert.equal((await rest(server, "POST", short, '{"a,b":1,"c":2,"d":3}')).status, 200);
  const read = async (query: string): Promise<string[]> =>
    JSON.parse((await rest(server, "GET", `${base(server)}/values/attributes/SHARED_SCOPE?${query}`)).text).map(({ key }: { key: string }) => key);
  assert.deepEqual(await read("keys=c,d"), ["c", "d"]);
  assert.deepEqual(await read("keys=c&keys=d"), ["c", "d"]);
  assert.deepEqual(await read("key=a,b&key=c"), ["a,b", "c"]);
  assert.equal((await rest(server, "DELETE", `${short}?keys=c`)).status, 200);
  assert.equal((await rest(server, "GET", `${base(server)}/keys/attributes/SHARED_SCOPE`)).text, '["a,b","d"]');
  const post = (type: string): Promise<Response> => fetch(server.restUrl + short, { method: "POST", body: '{"e":4}', headers: { "content-type": type } });
  assert.equal((await post("text/plain;charset=UTF-8")).status, 200);
  const wrong = await post("application/xml");
  assert.deepEqual([wrong.status, ((await wrong.json()) as { status: number }).status], [415, 415]);
  assert.deepEqual(await read(""), ["a,b", "d", "e"]);
});
