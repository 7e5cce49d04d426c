// Persistent RPCs: their states, retries, end of time and deletion (spec 2.6, 11).

import assert from "node:assert/strict";
import type { LocalServer } from "../../host/server/server.ts";
import { Session } from "../../host/server/session.ts";
import { onlyDevice, publish, type RawClient, rawLogin, rest, start, subscribe, test } from "./harness.ts";

const rpcFilter = "v1/devices/me/rpc/request/+";

interface PersistentRpc {
  status: string;
  response: unknown;
  request: { oneway: boolean; persisted: boolean; retries: number | null; body: { method: string; params: string } };
}

/** Sends a persistent RPC; answers with its id and a way to wait for a status. */
async function persist(server: LocalServer, body: object, way = "twoway"): Promise<{ id: string; until: (status: string) => Promise<PersistentRpc> }> {
  const { status, text } = await rest(server, "POST", `/api/rpc/${way}/${onlyDevice(server).id}`, JSON.stringify({ method: "m", persistent: true, ...body }));
  assert.equal(status, 200, text);
  const id = (JSON.parse(text) as { rpcId: string }).rpcId;
  const until = async (wanted: string): Promise<PersistentRpc> => {
    for (;;) {
      const rpc = JSON.parse((await rest(server, "GET", `/api/rpc/persistent/${id}`)).text) as PersistentRpc;
      if (rpc.status === wanted) return rpc;
    }
  };
  return { id, until };
}

/** A device over raw bytes that is granted its RPCs at a QoS. */
async function listener(t: Parameters<typeof start>[0], server: LocalServer, qos: 0 | 1): Promise<RawClient> {
  const client = await rawLogin(t, server);
  client.send(subscribe(1, [rpcFilter, qos]));
  await client.expectBytes(`90 03 00 01 0${qos}`);
  client.packets.length = 0;
  return client;
}

test("persistent RPC: the caller gets an id at once and can watch the status", async (t) => {
  const server = await start(t, { rpcAcknowledgeTimeoutMs: 20 });
  const id = onlyDevice(server).id;
  const body = '{"method":"m","persistent":true,"retries":1,"additionalInfo":{"who":"me"}}';
  const { rpcId } = JSON.parse((await rest(server, "POST", `/api/rpc/twoway/${id}`, body)).text) as { rpcId: string };
  const read = async (): Promise<Record<string, unknown>> =>
    JSON.parse((await rest(server, "GET", `/api/rpc/persistent/${rpcId}`)).text) as Record<string, unknown>;
  assert.equal((await read())["status"], "QUEUED");
  const client = await rawLogin(t, server);
  client.packets.length = 0;
  client.send(subscribe(1, [rpcFilter, 1]));
  assert.equal((await client.next()).cmd, "suback");
  const { messageId } = await client.nextPublish();
  const until = async (status: string): Promise<void> => {
    while ((await read())["status"] !== status);
  };
  await until("TIMEOUT");
  client.send({ cmd: "puback", messageId: messageId! });
  await until("DELIVERED");
  client.send(publish("v1/devices/me/rpc/response/0", '{"done":true}', 0));
  await until("SUCCESSFUL");
  const { response, additionalInfo } = await read();
  assert.deepEqual([response, additionalInfo], [{ done: true }, { who: "me" }]);
});

test("persistent RPC: without its PUBACKs it fails once the retries are used up, and a late reply finds nothing", async (t) => {
  const server = await start(t, { rpcAcknowledgeTimeoutMs: 5 });
  const client = await listener(t, server, 1);
  const { until } = await persist(server, { retries: 1, params: { pos: 3.5 } });
  assert.equal((await client.nextPublish()).topic, "v1/devices/me/rpc/request/0");
  const { request } = await until("TIMEOUT");
  assert.deepEqual([request.oneway, request.persisted, request.retries], [false, true, 1]);
  assert.deepEqual(request.body, { method: "m", params: '{"pos":3.5}' });
  // The next SUBSCRIBE sends it again, for the last time.
  client.send(subscribe(2, [rpcFilter, 1]));
  assert.equal((await client.next()).cmd, "suback");
  assert.equal((await client.nextPublish()).topic, "v1/devices/me/rpc/request/0");
  const { response } = await until("FAILED");
  assert.deepEqual(response, { error: "There was a Timeout and all retry attempts have been exhausted. Retry attempts set: 1" });
  client.send(publish("v1/devices/me/rpc/response/0", "{}", 1, 3), subscribe(4, [rpcFilter, 1]));
  assert.deepEqual([(await client.next()).cmd, (await client.next()).cmd], ["puback", "suback"]);
  await client.expectNothing();
  assert.equal((await until("FAILED")).status, "FAILED");
});

test("persistent RPC: QoS 0 is DELIVERED when written; a reply that is not JSON is kept as an error, an empty one as null", async (t) => {
  const server = await start(t);
  const client = await listener(t, server, 0);
  const replies: [reply: string, response: unknown][] = [["not JSON", { error: "not JSON" }], ["", null], ['"text"', "text"], ["7", 7]];
  for (const [reply, response] of replies) {
    const { until } = await persist(server, {});
    const { topic, qos } = await client.nextPublish();
    assert.equal(qos, 0);
    await until("DELIVERED");
    client.send(publish(topic.replace("request", "response"), reply, 0));
    assert.deepEqual((await until("SUCCESSFUL")).response, response, reply);
  }
  // A one-way RPC is over when it was delivered.
  const { until } = await persist(server, {}, "oneway");
  const { topic } = await client.nextPublish();
  await until("DELIVERED");
  client.send(publish(topic.replace("request", "response"), "{}", 1, 2));
  assert.equal((await client.next()).cmd, "puback");
  assert.equal((await until("DELIVERED")).response, null);
});

test("a persistent one-way RPC that waits for its PUBACK takes a reply", async (t) => {
  const server = await start(t);
  const client = await listener(t, server, 1);
  const { until } = await persist(server, {}, "oneway");
  await client.nextPublish();
  client.send(publish("v1/devices/me/rpc/response/0", '{"done":1}', 0));
  assert.deepEqual((await until("SUCCESSFUL")).response, { done: 1 });
});

test("an RPC whose time is over is not sent; a persistent one is EXPIRED, and expires while it waits", async (t) => {
  const server = await start(t, { rpcMinTimeoutMs: 1 });
  const device = onlyDevice(server);
  const client = await listener(t, server, 1);
  for (const [base, status] of [["/api/rpc", 504], ["/api/plugins/rpc", 408]] as const) {
    for (const way of ["oneway", "twoway"]) {
      for (const persistent of [false, true]) {
        const body = JSON.stringify({ method: "late", expirationTime: 1, persistent });
        assert.deepEqual(await rest(server, "POST", `${base}/${way}/${device.id}`, body), { status, text: "" });
      }
    }
  }
  await client.expectNothing();
  const list = async (query: string): Promise<{ data: PersistentRpc[]; totalPages: number; totalElements: number; hasNext: boolean }> =>
    JSON.parse((await rest(server, "GET", `/api/rpc/persistent/device/${device.id}?${query}`)).text);
  const { data, totalPages, totalElements, hasNext } = await list("pageSize=3&page=0&rpcStatus=EXPIRED");
  assert.deepEqual([data.map(({ status }) => status), totalPages, totalElements, hasNext], [["EXPIRED", "EXPIRED", "EXPIRED"], 2, 4, true]);
  assert.deepEqual((await list("pageSize=10&page=0&rpcStatus=SENT")).data, []);
  client.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: [rpcFilter] });
  assert.equal((await client.next()).cmd, "unsuback");
  const { until } = await persist(server, { timeout: 20 });
  await until("EXPIRED");
  client.send(subscribe(3, [rpcFilter, 1]));
  assert.equal((await client.next()).cmd, "suback");
  await client.expectNothing();
});

test("a deleted persistent RPC is gone: not shown, not sent, and its reply finds nothing", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  client.packets.length = 0;
  const { id, until } = await persist(server, {});
  await until("QUEUED");
  assert.equal((await rest(server, "DELETE", `/api/rpc/persistent/${id}`)).status, 200);
  assert.equal((await rest(server, "GET", `/api/rpc/persistent/${id}`)).status, 404);
  assert.equal((await rest(server, "DELETE", `/api/rpc/persistent/${id}`)).status, 404);
  client.send(subscribe(1, [rpcFilter, 1]), publish("v1/devices/me/rpc/response/0", "{}", 1, 2));
  assert.deepEqual([(await client.next()).cmd, (await client.next()).cmd], ["suback", "puback"]);
  await client.expectNothing();
});

test("after 65,535 downlinks no PUBACK of an RPC is matched any more, and replies still work", async (t) => {
  const server = await start(t, { rpcAcknowledgeTimeoutMs: 20 });
  const client = await rawLogin(t, server);
  const { session } = onlyDevice(server);
  assert.ok(session instanceof Session);
  for (let count = 0; count < 65_535; count++) session.takePacketId();
  client.send(subscribe(1, [rpcFilter, 1]));
  await client.expectBytes("90 03 00 01 01");
  client.packets.length = 0;
  const { until } = await persist(server, {});
  const { messageId } = await client.nextPublish();
  client.send({ cmd: "puback", messageId: messageId! });
  await client.expectNothing();
  await until("TIMEOUT");
  client.send(publish("v1/devices/me/rpc/response/0", '{"done":1}', 0));
  assert.deepEqual((await until("SUCCESSFUL")).response, { done: 1 });
});
