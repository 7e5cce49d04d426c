// Server-side RPC one after another, and what happens when a device does not acknowledge (spec 2.6, 11.4).

import assert from "node:assert/strict";
import type { LocalServer } from "../../host/server/server.ts";
import { onlyDevice, publish, type RawClient, rawLogin, rest, start, subscribe, test } from "./harness.ts";

const rpcFilter = "v1/devices/me/rpc/request/+";

/** Sends a persistent RPC whose method is its name; answers with a way to wait for its status. */
async function persist(server: LocalServer, method: string, more: object = {}, way = "twoway"): Promise<(status: string) => Promise<{ response: unknown }>> {
  const body = JSON.stringify({ method, persistent: true, ...more });
  const { rpcId } = JSON.parse((await rest(server, "POST", `/api/rpc/${way}/${onlyDevice(server).id}`, body)).text) as { rpcId: string };
  return async (wanted) => {
    for (;;) {
      const rpc = JSON.parse((await rest(server, "GET", `/api/rpc/persistent/${rpcId}`)).text) as { status: string; response: unknown };
      if (rpc.status === wanted) return rpc;
    }
  };
}

async function subscribed(t: Parameters<typeof start>[0], server: LocalServer, version: 4 | 5 = 4): Promise<RawClient> {
  const client = await rawLogin(t, server, version);
  client.send(subscribe(1, [rpcFilter, 1]));
  assert.equal((await client.next()).cmd, "suback");
  return client;
}

/** Takes the next RPC and its packet id. */
async function take(client: RawClient, requestId: number, method: string): Promise<number> {
  const { topic, text, messageId } = await client.nextPublish();
  assert.deepEqual([topic, JSON.parse(text).method], [`v1/devices/me/rpc/request/${requestId}`, method]);
  assert.ok(messageId !== undefined);
  return messageId;
}

function reply(client: RawClient, requestId: number): void {
  client.send(publish(`v1/devices/me/rpc/response/${requestId}`, "{}", 0));
}

test("a sequence by PUBACK: the next RPC comes once the one before was acknowledged, replied to or not", async (t) => {
  const server = await start(t, { rpcStrategy: "SEQUENTIAL_ON_ACK_FROM_DEVICE" });
  const client = await subscribed(t, server);
  const [first, second, third, fourth] = [await persist(server, "a"), await persist(server, "b", {}, "oneway"), await persist(server, "c"), await persist(server, "d")];
  const a = await take(client, 0, "a");
  await client.expectNothing();
  client.send({ cmd: "puback", messageId: a });
  await first("DELIVERED");
  client.send({ cmd: "puback", messageId: await take(client, 1, "b") });
  await second("DELIVERED");
  await take(client, 2, "c");
  // A reply without PUBACK moves the sequence too, and only the first that was not delivered comes again after a SUBSCRIBE.
  reply(client, 2);
  await third("SUCCESSFUL");
  await take(client, 3, "d");
  client.send(subscribe(2, [rpcFilter, 1]));
  assert.equal((await client.next()).cmd, "suback");
  client.send({ cmd: "puback", messageId: await take(client, 3, "d") });
  await fourth("DELIVERED");
  await client.expectNothing();
  reply(client, 0);
  await first("SUCCESSFUL");
});

test("a sequence by reply: the next RPC comes after the reply, or when it was waited for too long", async (t) => {
  const server = await start(t, { rpcStrategy: "SEQUENTIAL_ON_RESPONSE_FROM_DEVICE", rpcResponseTimeoutMs: 50 });
  const client = await subscribed(t, server);
  const [first, second] = [await persist(server, "a"), await persist(server, "b")];
  const third = rest(server, "POST", `/api/rpc/oneway/${onlyDevice(server).id}`, '{"method":"c"}');
  while (onlyDevice(server).rpcs.pendingCount < 3) await new Promise(setImmediate);
  const a = await take(client, 0, "a");
  await client.expectNothing();
  // Without a PUBACK a reply is enough.
  reply(client, 0);
  await first("SUCCESSFUL");
  client.send({ cmd: "puback", messageId: a });
  client.send({ cmd: "puback", messageId: await take(client, 1, "b") });
  const { response } = await second("FAILED");
  assert.deepEqual(response, { error: "There was a timeout awaiting for RPC response from device." });
  // A one-way RPC that had to wait is over for its caller when it was delivered.
  client.send({ cmd: "puback", messageId: await take(client, 2, "c") });
  assert.equal((await third).status, 200);
});

test("in a sequence an RPC without PUBACK is sent again at once with the same id, until it fails and the next one comes", async (t) => {
  const server = await start(t, { rpcStrategy: "SEQUENTIAL_ON_ACK_FROM_DEVICE", rpcAcknowledgeTimeoutMs: 20 });
  const client = await subscribed(t, server);
  const first = await persist(server, "a", { retries: 2 });
  const second = await persist(server, "b");
  for (let count = 0; count < 3; count++) await take(client, 0, "a");
  await first("FAILED");
  client.send({ cmd: "puback", messageId: await take(client, 1, "b") });
  await second("DELIVERED");
});

test("with close_session_on_rpc_delivery_timeout the RPC is queued again and the session closes with 0x98", async (t) => {
  const server = await start(t, { closesOnRpcDeliveryTimeout: true, rpcAcknowledgeTimeoutMs: 20 });
  const client = await subscribed(t, server, 5);
  const status = await persist(server, "a", { retries: 0 });
  await take(client, 0, "a");
  await status("QUEUED");
  await client.next().catch(() => {});
  assert.equal(client.received.subarray(-4).toString("hex"), "e0029800");
  const again = await subscribed(t, server);
  client.socket.destroy();
  again.send({ cmd: "puback", messageId: await take(again, 0, "a") });
  await status("DELIVERED");
});
