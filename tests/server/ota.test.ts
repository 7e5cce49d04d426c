// OTA: packages over REST, what assigning one tells the device, and chunks byte for byte (spec 2.10, 11.17).

import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import type { LocalServer, ServerOptions } from "../../host/server/server.ts";
import { onlyDevice, publish, type RawClient, rawLogin, rest, start, subscribe, test } from "./harness.ts";

const image = Buffer.from("123456789");

async function addPackage(server: LocalServer, info: object): Promise<string> {
  const answer = await rest(server, "POST", "/api/otaPackage", JSON.stringify({ type: "FIRMWARE", title: "app", version: "1.2", ...info }));
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text).id.id;
}

async function upload(server: LocalServer, id: string, data: Buffer, query = "checksumAlgorithm=SHA256"): Promise<{ status: number; text: string }> {
  const form = new FormData();
  form.append("file", new Blob([data], { type: "application/macbinary" }), "app.bin");
  const response = await fetch(`${server.restUrl}/api/otaPackage/${id}?${query}`, { method: "POST", body: form });
  return { status: response.status, text: await response.text() };
}

async function assign(server: LocalServer, members: object): Promise<void> {
  const device = { id: { entityType: "DEVICE", id: onlyDevice(server).id }, ...members };
  const { status, text } = await rest(server, "POST", "/api/device", JSON.stringify(device));
  assert.equal(status, 200, text);
}

async function withFirmware(t: Parameters<typeof start>[0], data: Buffer, options: ServerOptions = {}): Promise<LocalServer> {
  const server = await start(t, options);
  const id = await addPackage(server, {});
  assert.equal((await upload(server, id, data)).status, 200);
  await assign(server, { firmwareId: { entityType: "OTA_PACKAGE", id } });
  return server;
}

function ask(id: string | number, chunk: number, size: string, messageId = 7): ReturnType<typeof publish> {
  return publish(`v2/fw/request/${id}/chunk/${chunk}`, size, messageId === 0 ? 0 : 1, messageId);
}

async function nextChunk(client: RawClient): Promise<[topic: string, text: string]> {
  const { topic, text } = await client.nextPublish();
  return [topic, text];
}

test("checksums of one image in every algorithm, as known elsewhere", async (t) => {
  const server = await start(t);
  const hello = Buffer.from("hello");
  const cases: [algorithm: string, data: Buffer, checksum: string][] = [
    ["MD5", hello, "5d41402abc4b2a76b9719d911017c592"],
    ["SHA256", hello, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"],
    ["SHA384", hello, "59e1748777448c69de6b800d7a33bbfb9ff1b463e44354c3553bcdb9c666fa90125a3c79f90397bdf5f6a13de828684f"],
    [
      "SHA512",
      hello,
      "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043",
    ],
    // The check value of CRC-32 is cbf43926; the digits stand with the lowest byte first.
    ["CRC32", image, "2639f4cb"],
    // MurmurHash3_x86_32("hello", 0) is 248bfa47, of the longer text 2e4ff723.
    ["MURMUR3_32", hello, "47fa8b24"],
    ["MURMUR3_32", Buffer.from("The quick brown fox jumps over the lazy dog"), "23f74f2e"],
    // MurmurHash3_x64_128("hello", 0) is cbd8a7b341bd9b02 5b1e906a48ae1d19.
    ["MURMUR3_128", hello, "029bbd41b3a7d8cb191dae486a901e5b"],
    ["MURMUR3_128", Buffer.from("The quick brown fox jumps over the lazy dog"), "6c1b07bc7bbc4be347939ac4a93c437a"],
  ];
  for (const [index, [algorithm, data, checksum]] of cases.entries()) {
    const id = await addPackage(server, { title: `app ${index}` });
    const answer = await upload(server, id, data, `checksumAlgorithm=${algorithm}`);
    const { checksum: found, checksumAlgorithm, dataSize, hasData, fileName, contentType } = JSON.parse(answer.text);
    assert.deepEqual([found, checksumAlgorithm, dataSize, hasData], [checksum, algorithm, data.length, true]);
    assert.deepEqual([fileName, contentType], ["app.bin", "application/macbinary"]);
  }
});

test("assigning tells the device: absent keys deleted first, then the package; taking it off deletes nine keys", async (t) => {
  const server = await start(t, { now: () => 1000 });
  const client = await rawLogin(t, server);
  client.send(subscribe(1, ["v1/devices/me/attributes", 0]));
  await client.expectBytes("90 03 00 01 00");
  client.packets.length = 0;
  const id = await addPackage(server, {});
  await upload(server, id, image, "checksumAlgorithm=CRC32");
  await assign(server, { firmwareId: { entityType: "OTA_PACKAGE", id } });
  assert.deepEqual(await nextChunk(client), ["v1/devices/me/attributes", '{"deleted":["fw_tag","fw_url"]}']);
  assert.deepEqual(await nextChunk(client), [
    "v1/devices/me/attributes",
    '{"fw_title":"app","fw_version":"1.2","fw_size":9,"fw_checksum_algorithm":"CRC32","fw_checksum":"2639f4cb"}',
  ]);
  const series = `/api/plugins/telemetry/DEVICE/${onlyDevice(server).id}/values/timeseries`;
  const history = JSON.parse((await rest(server, "GET", `${series}?keys=fw_state&startTs=0&endTs=9999`)).text);
  assert.deepEqual(history.fw_state.map(({ value }: { value: string }) => value), ["INITIATED", "QUEUED"]);
  const latest = JSON.parse((await rest(server, "GET", series)).text);
  const target = ["target_fw_title", "target_fw_version", "target_fw_ts"].map((key) => latest[key][0].value);
  assert.deepEqual([target, "target_fw_tag" in latest], [["app", "1.2", "1000"], false]);
  await assign(server, { firmwareId: { entityType: "OTA_PACKAGE", id } });
  const url = await addPackage(server, { type: "SOFTWARE", title: "maps", tag: "maps 1.2", url: "http://host/maps", usesUrl: true });
  await assign(server, { firmwareId: null, softwareId: { entityType: "OTA_PACKAGE", id: url } });
  assert.equal(
    (await nextChunk(client))[1],
    '{"deleted":["fw_title","fw_version","fw_ts","fw_state","fw_size","fw_checksum","fw_checksum_algorithm","fw_url","fw_tag"]}',
  );
  assert.equal((await nextChunk(client))[1], '{"deleted":["sw_size","sw_checksum_algorithm","sw_checksum"]}');
  assert.equal((await nextChunk(client))[1], '{"sw_title":"maps","sw_version":"1.2","sw_tag":"maps 1.2","sw_url":"http://host/maps"}');
});

test("chunks: PUBACK first, slices, nothing past the end, the size is remembered for the request id", async (t) => {
  const server = await withFirmware(t, image);
  const client = await rawLogin(t, server);
  client.send(ask(5, 0, "3"));
  // PUBLISH at QoS 1 with packet id 1, for nothing is subscribed.
  const topic = Buffer.from("v2/fw/response/5/chunk/0");
  const header = Buffer.from([0x32, 2 + topic.length + 2 + 3, 0, topic.length]);
  const expected = Buffer.concat([Buffer.from("40020007", "hex"), header, topic, Buffer.from([0, 1]), Buffer.from("123")]);
  await client.expectBytes(expected.toString("hex"));
  client.packets.length = 0;
  client.send(ask(5, 2, "", 0), ask(5, 3, "0", 0), ask(5, 9, "-1", 0), ask(6, 3, "", 0), ask("007", 1, "+8", 0));
  assert.deepEqual(await nextChunk(client), ["v2/fw/response/5/chunk/2", "789"]);
  assert.deepEqual(await nextChunk(client), ["v2/fw/response/5/chunk/3", ""]);
  assert.deepEqual(await nextChunk(client), ["v2/fw/response/5/chunk/9", ""]);
  assert.deepEqual(await nextChunk(client), ["v2/fw/response/6/chunk/3", "123456789"]);
  assert.deepEqual(await nextChunk(client), ["v2/fw/response/007/chunk/1", "9"]);
  client.send(subscribe(1, ["v2/fw/response/+/chunk/+", 0], ["v2/fw/response/+", 1]));
  assert.equal((await client.next()).cmd, "suback");
  client.send(publish("x/v2/fw/request/8/chunk/04y", "2", 0));
  assert.deepEqual(await client.nextPublish(), { topic: "v2/fw/response/8/chunk/4", text: "9", qos: 0, messageId: undefined });
});

test("refusals are said on the firmware topic, without PUBACK, and close", async (t) => {
  const server = await start(t);
  const cases: [topic: string, size: string, text: string][] = [
    ["v2/fw/request/1/chunk/0", "65536", "NOT_FOUND"],
    ["v2/fw/request/1/chunk/0", "65537", "PAYLOAD_TOO_LARGE"],
    ["v2/sw/request/1/chunk/0", "10", "FAILURE"],
  ];
  const id = await addPackage(server, { type: "SOFTWARE", url: "http://host/file" });
  await assign(server, { softwareId: { entityType: "OTA_PACKAGE", id } });
  for (const version of [4, 5] as const) {
    for (const [topic, size, text] of cases) {
      const client = await rawLogin(t, server, version);
      client.send(publish(topic, size));
      const properties = version === 5 ? "00" : "";
      const body = `${Buffer.from("v2/fw/error").toString("hex")}0001${properties}${Buffer.from(text).toString("hex")}`;
      const length = (2 + body.length / 2).toString(16).padStart(2, "0");
      await client.expectBytes(`32${length}000b${body}${version === 5 ? "e0028300" : ""}`);
      await client.expectClose();
    }
  }
  for (const size of ["4k", "10\n", "2147483648"]) {
    const client = await rawLogin(t, server, 5);
    client.send(publish("v2/fw/request/1/chunk/0", size));
    await client.expectBytes("e0 02 8b 00");
    await client.expectClose();
  }
});

test("a request id keeps its package, firmware and software alike, until the connection ends", async (t) => {
  const server = await withFirmware(t, image);
  const second = await addPackage(server, { version: "1.3" });
  await upload(server, second, Buffer.from("new"));
  const client = await rawLogin(t, server);
  client.send(ask(1, 0, "100", 0));
  assert.equal((await nextChunk(client))[1], "123456789");
  await assign(server, { firmwareId: { entityType: "OTA_PACKAGE", id: second } });
  client.send(ask(1, 0, "100", 0), publish("v2/sw/request/1/chunk/0", "", 0), ask(2, 0, "100", 0));
  assert.equal((await nextChunk(client))[1], "123456789");
  assert.deepEqual(await nextChunk(client), ["v2/sw/response/1/chunk/0", "123456789"]);
  assert.equal((await nextChunk(client))[1], "new");
});

test("an expired image gives empty chunks until a new request id asks", async (t) => {
  let nowMs = 0;
  const server = await withFirmware(t, image, { now: () => nowMs, inactivityTimeoutMs: 1e12 });
  const client = await rawLogin(t, server);
  client.send(ask(1, 0, "4", 0));
  assert.equal((await nextChunk(client))[1], "1234");
  server.faults.expireOtaCache();
  client.send(ask(1, 1, "4", 0), ask(2, 1, "4", 0), ask(1, 1, "4", 0));
  assert.equal((await nextChunk(client))[1], "");
  assert.equal((await nextChunk(client))[1], "5678");
  assert.equal((await nextChunk(client))[1], "5678");
  nowMs = 3_600_000;
  client.send(ask(1, 1, "4", 0));
  assert.equal((await nextChunk(client))[1], "");
  assert.equal((await rest(server, "POST", "/api/mote/faults", '{"expireOtaCache":true}')).status, 200);
});

test("faults on chunks: every n-th lost, a share drawn from a seed, doubled, reversed, dropped", async (t) => {
  const server = await withFirmware(t, image);
  const client = await rawLogin(t, server);
  const received = async (count: number): Promise<string[]> => {
    client.send(...Array.from({ length: 9 }, (_, chunk) => ask(1, chunk, "1", 0)));
    const texts: string[] = [];
    for (let i = 0; i < count; i++) texts.push((await nextChunk(client))[1]);
    await client.expectNothing();
    return texts;
  };
  server.faults.loseChunks({ every: 3 });
  assert.deepEqual(await received(6), ["1", "2", "4", "5", "7", "8"]);
  const lost: number[][] = [];
  for (let run = 0; run < 2; run++) {
    await rest(server, "POST", "/api/mote/faults", '{"loseChunks":{"percent":50,"seed":7}}');
    const asked: { chunk: number; isLost: boolean }[] = [];
    const all = server.events.next("otaChunk", (event) => asked.push(event) === 9);
    client.send(...Array.from({ length: 9 }, (_, chunk) => ask(1, chunk, "1", 0)));
    await all;
    const chunks = asked.filter(({ isLost }) => isLost).map(({ chunk }) => chunk);
    for (let left = 9 - chunks.length; left > 0; left--) await nextChunk(client);
    lost.push(chunks);
  }
  assert.deepEqual(lost[0], lost[1]);
  assert.ok(lost[0]!.length > 0 && lost[0]!.length < 9);
  server.faults.reset();
  server.faults.corruptChunk(1);
  assert.deepEqual(await received(9), ["\ufffd", "2", "3", "4", "5", "6", "7", "8", "9"]);
  server.faults.dropReply(1);
  assert.deepEqual(await received(8), ["2", "3", "4", "5", "6", "7", "8", "9"]);
  server.faults.duplicateReply(1);
  assert.deepEqual(await received(10), ["1", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  server.faults.reverseReplies(3);
  assert.deepEqual(await received(9), ["3", "2", "1", "4", "5", "6", "7", "8", "9"]);
});

test("packages over REST: raw upload, download, list, delete, and every refusal", async (t) => {
  const server = await start(t, { otaBounds: { packages: 3, bytes: 10, fileBytes: 20 } });
  const id = await addPackage(server, {});
  const path = `/api/otaPackage/${id}`;
  const send = (query: string, body: Uint8Array, type = "application/octet-stream"): Promise<Response> =>
    fetch(`${server.restUrl}${path}?${query}`, { method: "POST", body, headers: { "content-type": type } });
  assert.equal((await fetch(`${server.restUrl}${path}/download`)).status, 404);
  assert.equal((await send("checksumAlgorithm=SHA1", image)).status, 400);
  assert.equal((await send("checksumAlgorithm=CRC32&checksum=00000000", image)).status, 400);
  assert.equal((await send("checksumAlgorithm=CRC32", new Uint8Array(0))).status, 400);
  assert.equal((await send("checksumAlgorithm=CRC32", Buffer.alloc(11))).status, 429);
  assert.equal((await send("checksumAlgorithm=CRC32", Buffer.alloc(21))).status, 413);
  assert.equal((await upload(server, id, Buffer.alloc(21))).status, 413);
  const device = { id: { id: onlyDevice(server).id }, firmwareId: { id } };
  assert.match((await rest(server, "POST", "/api/device", JSON.stringify(device))).text, /empty data/);
  assert.equal((await send("checksumAlgorithm=CRC32&checksum=2639F4CB", image)).status, 200);
  assert.equal((await send("checksumAlgorithm=CRC32", image)).status, 400);
  const download = await fetch(`${server.restUrl}${path}/download`);
  assert.equal(await download.text(), "123456789");
  assert.equal(JSON.parse((await rest(server, "GET", `/api/otaPackage/info/${id}`)).text).title, "app");
  assert.equal((await rest(server, "POST", "/api/otaPackage", '{"type":"FIRMWARE","title":"app","version":"1.2"}')).status, 400);
  for (const body of ['{"type":"X"}', '{"type":"FIRMWARE"}', '{"type":"FIRMWARE","title":"a"}', '{"type":"FIRMWARE","title":"a","version":"1","usesUrl":true}', "[]"]) {
    assert.equal((await rest(server, "POST", "/api/otaPackage", body)).status, 400, body);
  }
  await assign(server, { firmwareId: { entityType: "OTA_PACKAGE", id } });
  assert.equal((await rest(server, "DELETE", path)).status, 400);
  assert.match((await rest(server, "POST", "/api/device", `{"id":{"id":"${onlyDevice(server).id}"},"softwareId":{"id":"${id}"}}`)).text, /non-existent/);
  await assign(server, {});
  assert.equal((await rest(server, "DELETE", path)).status, 200);
  assert.equal((await rest(server, "GET", path)).status, 404);
  for (const version of ["1", "2", "3"]) await addPackage(server, { version });
  assert.equal((await rest(server, "POST", "/api/otaPackage", '{"type":"FIRMWARE","title":"app","version":"4"}')).status, 429);
  assert.equal(JSON.parse((await rest(server, "GET", "/api/otaPackages")).text).totalElements, 3);
});

test("a whole image of a mebibyte comes in one message", async (t) => {
  const data = Buffer.alloc(1024 * 1024, "firmware ");
  const server = await withFirmware(t, data);
  const client = await rawLogin(t, server);
  client.send(ask(1, 0, "", 0));
  const { text } = await client.nextPublish();
  assert.equal(text, data.toString());
});

test("in process: a package is added, filled and assigned without REST; past a thousand request ids the connection closes", async (t) => {
  const server = await start(t);
  const added = server.packages.add({ type: "SOFTWARE", title: "maps", version: "1", tag: null, url: null });
  server.packages.upload(added, image, "CRC32");
  server.assignPackage(onlyDevice(server), "SOFTWARE", added);
  const client = await rawLogin(t, server);
  for (let id = 1; id <= 1000; id++) client.send(publish(`v2/sw/request/${id}/chunk/0`, "1", 0));
  for (let id = 1; id <= 1000; id++) assert.deepEqual(await nextChunk(client), [`v2/sw/response/${id}/chunk/0`, "1"]);
  client.received = Buffer.alloc(0);
  client.send(publish("v2/sw/request/1001/chunk/0", "1", 0));
  await client.expectClose();
});

test("a form with another part is refused, and an upload that breaks off leaves the package as it was", async (t) => {
  const server = await start(t);
  const id = await addPackage(server, {});
  const form = new FormData();
  form.append("data", new Blob(["x"]), "app.bin");
  const response = await fetch(`${server.restUrl}/api/otaPackage/${id}?checksumAlgorithm=MD5`, { method: "POST", body: form });
  assert.equal(response.status, 400);
  const socket = connectTcp(server.restPort, "127.0.0.1");
  const ended = new Promise((resolve) => socket.resume().once("close", resolve));
  socket.end(
    `POST /api/otaPackage/${id}?checksumAlgorithm=MD5 HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
      "Content-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\nhalf",
  );
  await ended;
  assert.equal(JSON.parse((await rest(server, "GET", `/api/otaPackage/${id}`)).text).hasData, false);
});

test("what the real server fails to read it acknowledges and never sends: a start that turns negative, a whole image that expired", async (t) => {
  const server = await withFirmware(t, image);
  const client = await rawLogin(t, server);
  // 65,536 times 32,769 is below zero in 32 bits; times 65,536 it is zero again.
  client.send(ask(1, 32_769, "65536"));
  await client.expectBytes("40 02 00 07");
  client.packets.length = 0;
  client.send(ask(1, 65_536, "65536", 0));
  assert.deepEqual(await nextChunk(client), ["v2/fw/response/1/chunk/65536", "123456789"]);
  // So far below zero that what is left of the image turns negative too: a chunk of nothing.
  client.send(ask(1, 32_768, "65536", 0));
  assert.deepEqual(await nextChunk(client), ["v2/fw/response/1/chunk/32768", ""]);
  client.send(ask(2, 0, "", 0));
  assert.deepEqual(await nextChunk(client), ["v2/fw/response/2/chunk/0", "123456789"]);
  server.faults.expireOtaCache();
  client.send(ask(2, 0, "", 0));
  await client.expectNothing();
  client.send(ask(2, 0, "4", 0));
  assert.deepEqual(await nextChunk(client), ["v2/fw/response/2/chunk/0", ""]);
});
