// What a device asks of the server by itself: client-side RPC and claiming.

import assert from "node:assert/strict";
import { Feature } from "../../build/generated/abi.ts";
import { behaviour, online } from "./harness.ts";

behaviour("requests of a device", Feature.Requests, (check) => {
  check("a client-side RPC goes out with its params and ends with the answer", async (t, engine) => {
    const asked: string[][] = [];
    const { driver } = await online(t, engine, {}, {
      answerClientRpc: (_, method, params) => {
        asked.push([method, params]);
        return '{"time":1760000000000}';
      },
    });
    const first = await driver.run("request_rpc", "getTime", '{"zone":"UTC"}', 15_000);
    const answer = await driver.event("RpcResponse");
    assert.deepEqual([answer.id, answer.reason_name, answer.payload], [first, "Ok", '{"time":1760000000000}']);
    const second = await driver.run("request_rpc", "getTime", "", 15_000);
    assert.equal((await driver.event("RpcResponse")).id, second);
    assert.notEqual(first, second, "an id is used once");
    assert.deepEqual(asked, [["getTime", '{"zone":"UTC"}'], ["getTime", "null"]], "the server takes absent params for null");
  });

  check("several client-side RPCs get their own answers, in whatever order they come", async (t, engine) => {
    const held: (() => void)[] = [];
    const { site, driver } = await online(t, engine, {}, {
      answerClientRpc: (_, method) => new Promise<string>((resolve) => held.push(() => resolve(`{"method":"${method}"}`))),
    });
    const ids = [await driver.run("request_rpc", "a", "{}", 15_000), await driver.run("request_rpc", "b", "{}", 15_000)];
    await site.until("both requests", () => held.length === 2);
    held.reverse().forEach((answer) => answer());
    for (const [index, id] of ids.entries()) {
      const answer = await driver.event("RpcResponse", (event) => event.id === id);
      assert.equal(answer.payload, `{"method":"${"ab"[index]}"}`);
    }
  });

  check("a client-side RPC that is answered by an error is told apart", async (t, engine) => {
    const { driver } = await online(t, engine, {}, { answerClientRpc: () => '{"error":"no such method"}' });
    const id = await driver.run("request_rpc", "fly", "{}", 15_000);
    const answer = await driver.event("RpcResponse");
    assert.deepEqual([answer.id, answer.reason_name, answer.payload], [id, "RemoteError", '{"error":"no such method"}']);
  });

  check("a client-side RPC without an answer times out and makes room for the next", async (t, engine) => {
    const { driver } = await online(t, engine, { max_requests: 1 }, {
      answerClientRpc: (_, method) => (method === "silent" ? undefined : "1"),
    });
    const id = await driver.run("request_rpc", "silent", "{}", 300);
    assert.equal((await driver.ask("request_rpc", "other", "{}", 300)).status, "Full", "one request may be open");
    assert.equal((await driver.event("RequestTimeout")).id, id);
    const next = await driver.run("request_rpc", "other", "{}", 15_000);
    const answer = await driver.event("RpcResponse");
    assert.deepEqual([answer.id, answer.payload], [next, "1"]);
  });

  check("a request that a reconnect cut off is asked again by nobody, and the answers come back", async (t, engine) => {
    const { site, driver } = await online(t, engine, {}, { answerClientRpc: (_, method) => (method === "lost" ? undefined : '"here"') });
    const lost = await driver.run("request_rpc", "lost", "{}", 1_000);
    await driver.event("Subscribed", ({ topic }) => topic === "v1/devices/me/rpc/response/+");
    site.server.faults.killSessions(site.device.id);
    await driver.event("Disconnected");
    await driver.event("Subscribed", ({ topic }) => topic === "v1/devices/me/rpc/response/+");
    const id = await driver.run("request_rpc", "next", "{}", 15_000);
    assert.equal((await driver.event("RpcResponse")).id, id);
    assert.equal((await driver.event("RequestTimeout")).id, lost);
  });

  check("a device that asked to be claimed is claimed with its secret", async (t, engine) => {
    const { site, driver } = await online(t, engine);
    const claim = (secretKey: string): Promise<{ status: number; text: string }> =>
      site.rest("POST", `/api/customer/device/${encodeURIComponent(site.device.name)}/claim`, { secretKey });
    await driver.run("claim", "s\"3", 60_000, 1);
    await driver.event("Delivered");
    assert.equal((await claim("other")).status, 400, "another secret claims nothing, and ends the claim");
    await driver.run("claim", "s\"3", 0, 1);
    await driver.event("Delivered");
    assert.match((await claim("s\"3")).text, /"response":"SUCCESS"/);
  });
});
