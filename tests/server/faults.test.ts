// Every fault knob does what its name says, in process and over REST (spec 10).

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { connectBytes, onlyDevice, publish, rawConnect, rawLogin, rest, start, subscribe, test } from "./harness.ts";

const telemetry = "v1/devices/me/telemetry";
const request = (id: number): string => `v1/devices/me/attributes/request/${id}`;

test("PUBACK: dropped, doubled, reversed, late", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  server.faults.dropPuback(1);
  client.send(publish(telemetry, '{"a":1}', 1, 1));
  await client.expectNothing();
  assert.ok(onlyDevice(server).latest.has("a"));
  server.faults.duplicatePuback(1);
  client.send(publish(telemetry, "{}", 1, 2), publish(telemetry, "{}", 1, 3));
  await client.expectBytes("40 02 00 02 40 02 00 02 40 02 00 03");
  server.faults.reversePubacks(3);
  client.send(...[4, 5, 6, 7].map((id) => publish(telemetry, "{}", 1, id)));
  await client.expectBytes("40 02 00 06 40 02 00 05 40 02 00 04 40 02 00 07");
  server.faults.delayPuback(1, 100);
  client.send(publish(telemetry, "{}", 1, 8), publish(telemetry, "{}", 1, 9));
  await client.expectBytes("40 02 00 09 40 02 00 08");
});

test("reply before its PUBACK, replies out of order, no reply, packet id 0", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  server.faults.replyBeforePuback(1);
  client.send(publish(request(1), "{}", 1, 1));
  assert.equal((await client.nextPublish()).topic, "v1/devices/me/attributes/response/1");
  assert.equal((await client.next()).cmd, "puback");
  server.faults.delayReply(1, 100);
  client.send(publish(request(2), "{}", 0), publish(request(3), "{}", 0));
  assert.equal((await client.nextPublish()).topic, "v1/devices/me/attributes/response/3");
  assert.equal((await client.nextPublish()).topic, "v1/devices/me/attributes/response/2");
  server.faults.dropResponse(1);
  client.send(publish(request(4), "{}", 1, 4));
  assert.equal((await client.next()).cmd, "puback");
  await client.expectNothing();
  server.faults.packetIdZero(1);
  client.send(publish(request(5), "{}", 0));
  assert.equal((await client.nextPublish()).messageId, 0);
  client.send(publish(request(6), "{}", 0));
  assert.equal((await client.nextPublish()).messageId, 5);
});

test("a second login on the connection does not get what was held back for the first", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  server.faults.reversePubacks(2);
  server.faults.reverseReplies(2);
  client.send(publish(request(1), "{}", 1, 1), connectBytes());
  await client.expectBytes("20 02 00 00");
  client.packets.length = 0;
  client.send(publish(request(2), "{}", 1, 2));
  const got = [await client.next(), await client.next()].map((packet) => (packet.cmd === "publish" ? packet.topic : `${packet.cmd} ${packet.messageId}`));
  assert.deepEqual(got.sort(), ["puback 2", "v1/devices/me/attributes/response/2"]);
  await client.expectNothing();
});

test("over the rate, refused SUBACK, refused CONNECT, an error for an answer", async (t) => {
  const server = await start(t);
  server.faults.refuseConnect(1, 3);
  const refused = await rawConnect(t, server);
  refused.send(connectBytes());
  await refused.expectBytes("20 02 00 03");
  await refused.expectClose();
  const client = await rawLogin(t, server);
  server.faults.refuseSuback(1);
  client.send(subscribe(1, ["v2/a", 0], ["v2/a/j", 1]), subscribe(2, ["v2/a", 0]));
  await client.expectBytes("90 04 00 01 80 80 90 03 00 02 00");
  client.packets.length = 0;
  server.faults.answerWithError(1, "busy");
  client.send(publish("v1/devices/me/rpc/request/9", '{"method":"getSessionLimits"}', 0));
  assert.equal((await client.nextPublish()).text, '{"error":"busy"}');
  client.received = Buffer.alloc(0);
  server.faults.exceedRate(1);
  client.send(publish(telemetry, '{"lost":1}'));
  await client.expectClose();
  assert.equal(onlyDevice(server).latest.has("lost"), false);
});

test("a CONNECT is refused with any code, and on MQTT 5 with the reason of that name, which DISCONNECT says again", async (t) => {
  const server = await start(t);
  // MQTT 3.1.1, table 3.1, and MQTT 5, table 3-1: protocol version, client identifier, server unavailable, bad user name or password, not authorized.
  for (const [code, reason] of [["01", "84"], ["02", "85"], ["03", "88"], ["04", "86"], ["05", "87"]] as const) {
    server.faults.refuseConnect(2, Number(code));
    for (const [version, bytes] of [[4, `20 02 00 ${code}`], [5, `20 03 00 ${reason} 00 e0 02 ${reason} 00`]] as const) {
      const client = await rawConnect(t, server, version);
      client.send(connectBytes("DEMO_TOKEN", { protocolVersion: version }));
      await client.expectBytes(bytes);
      await client.expectClose();
    }
  }
});

test("half-open: the socket stays, answers do not come, and the device can log in again", async (t) => {
  const server = await start(t);
  const stuck = await rawLogin(t, server);
  server.faults.halfOpen();
  stuck.send(publish(telemetry, '{"a":1}'), { cmd: "pingreq" });
  const client = await rawLogin(t, server);
  await client.expectNothing();
  stuck.send({ cmd: "pingreq" });
  await client.expectNothing();
  assert.deepEqual([stuck.isClosed, stuck.received.length, onlyDevice(server).latest.size], [false, 0, 0]);
});

test("killed sessions end with a TCP reset", async (t) => {
  const server = await start(t);
  const client = await rawLogin(t, server);
  let code: string | undefined;
  client.socket.once("error", (error: NodeJS.ErrnoException) => (code = error.code));
  server.faults.killSessions();
  await client.expectClose();
  assert.equal(code, "ECONNRESET");
});

test("over REST: knobs are set together or not at all, and a wrong one is named", async (t) => {
  const server = await start(t);
  const post = (body: string): Promise<{ status: number; text: string }> => rest(server, "POST", "/api/mote/faults", body);
  const wrong: [body: string, name: RegExp][] = [
    ['{"dropPuback":1,"eatPuback":1}', /eatPuback/],
    ['{"dropPuback":"1"}', /dropPuback/],
    ['{"dropPuback":-1}', /dropPuback/],
    ['{"dropPuback":1,"delayReply":{"count":1}}', /delayReply/],
    ['{"refuseConnect":{"count":1,"code":6}}', /refuseConnect/],
    ['{"answerWithError":{"count":1}}', /answerWithError/],
    ['{"halfOpen":false}', /halfOpen/],
    ['{"killSessions":"nobody"}', /killSessions/],
    ['{"notifyChild":{"device":"nobody","reason":128}}', /notifyChild/],
    ['{"dropPuback":2147483648}', /dropPuback/],
    ['{"dropPuback":1.5}', /dropPuback/],
    ['{"delayPuback":{"count":1,"ms":2147483648}}', /delayPuback/],
    ['{"loseChunks":{"every":0}}', /loseChunks/],
    ['{"loseChunks":{"percent":101,"seed":1}}', /loseChunks/],
    ['{"reset":1}', /reset/],
    ["[]", /object/],
    ["", /object/],
  ];
  for (const [body, name] of wrong) {
    const { status, text } = await post(body);
    assert.equal(status, 400, body);
    assert.match(text, name);
  }
  assert.equal(server.faults.left("dropPuback"), 0);
  const armed = await post('{"dropPuback":2,"delayPuback":{"count":1,"ms":5},"refuseConnect":{"count":1,"code":2}}');
  assert.deepEqual([armed.status, JSON.parse(armed.text).dropPuback], [200, 2]);
  await post('{"reset":true}');
  assert.equal(JSON.parse((await rest(server, "GET", "/api/mote/faults")).text).dropPuback, 0);
  const client = await rawLogin(t, server);
  assert.equal((await post(`{"killSessions":"${onlyDevice(server).id}"}`)).status, 200);
  await client.expectClose();
});

test("POST /api/mote/disconnect breaks the device's connection", async (t) => {
  const server = await start(t);
  const path = `/api/mote/disconnect/${onlyDevice(server).id}`;
  assert.equal((await rest(server, "POST", path)).text, '{"disconnected":false}');
  const client = await rawLogin(t, server);
  assert.equal((await rest(server, "POST", path)).text, '{"disconnected":true}');
  await client.expectClose();
  assert.equal((await rest(server, "POST", "/api/mote/disconnect/nobody")).status, 400);
  assert.equal((await rest(server, "POST", `/api/mote/disconnect/${randomUUID()}`)).status, 404);
});
