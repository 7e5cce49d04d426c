// The socket port by itself: bounded buffers in both directions, failures by name, a close that lets bytes leave.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { NetFlag, NetState, Status, Want } from "../../build/generated/abi.ts";
import { SocketPort } from "../../host/node/ports/net.ts";
import { PATIENCE_MS } from "./harness.ts";

class Pair {
  #changed: (() => void)[] = [];
  happened = 0;

  constructor(readonly port: SocketPort, readonly handle: number) {
    port.onActivity = (happened) => {
      this.happened |= happened;
      for (const resolve of this.#changed.splice(0)) resolve();
    };
  }

  async until(isReached: () => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    while (!isReached()) {
      await new Promise<void>((resolve, reject) => {
        this.#changed.push(resolve);
        deadline.addEventListener("abort", () => reject(new Error("nothing happened")), { once: true });
      });
    }
  }

  state(): number {
    return this.port.state(this.handle);
  }
}

async function open(t: TestContext): Promise<{ pair: Pair; peer: Socket }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const port = new SocketPort(undefined);
  const pair = new Pair(port, port.open("127.0.0.1", (server.address() as AddressInfo).port, 0));
  assert.equal(pair.state(), NetState.Connecting);
  const [peer] = await accepted;
  peer.on("error", () => {});
  t.after(() => {
    port.close(pair.handle);
    peer.destroy();
    server.close();
  });
  await pair.until(() => pair.state() !== NetState.Connecting);
  return { pair, peer };
}

test("without TLS settings a connection with TLS is refused at once", () => {
  assert.equal(new SocketPort(undefined).open("127.0.0.1", 1, NetFlag.Tls), Status.TlsUnsupported);
});

test("a handle that is closed or was never given is invalid", async (t) => {
  const { pair } = await open(t);
  pair.port.close(pair.handle);
  for (const handle of [pair.handle, 0, -1, 99]) {
    assert.equal(pair.port.state(handle), Status.InvalidValue);
    assert.equal(pair.port.send(handle, new Uint8Array(1)), Status.InvalidValue);
    assert.equal(pair.port.receive(handle, new Uint8Array(1)), Status.InvalidValue);
  }
});

test("what one poll sends arrives as one piece, and nothing before the flush", async (t) => {
  const { pair, peer } = await open(t);
  const memory = Buffer.from("abc");
  for (const text of ["abc", "def", "ghi"]) {
    memory.write(text);
    assert.equal(pair.port.send(pair.handle, memory), 3);
  }
  assert.equal(pair.state(), NetState.Flushing);
  pair.port.flush();
  const [chunk] = await once(peer, "data") as [Buffer];
  assert.equal(chunk.toString(), "abcdefghi");
});

test("sending is bounded: 0 when full, room again when the peer has read", async (t) => {
  const { pair, peer } = await open(t);
  peer.pause();
  const block = new Uint8Array(16384);
  let accepted = 0;
  for (let part = -1; part !== 0;) {
    part = pair.port.send(pair.handle, block);
    accepted += part;
    assert.ok(accepted <= 64 * 1024 * 1024, "it accepts without end");
  }
  assert.equal(accepted, 65536);
  assert.equal(pair.port.ready() & Want.Writable, 0);
  pair.port.flush();
  let received = 0;
  peer.on("data", (chunk: Buffer) => { received += chunk.length; });
  peer.resume();
  await pair.until(() => (pair.port.ready() & Want.Writable) !== 0);
  assert.ok((pair.happened & Want.Writable) !== 0);
  await pair.until(() => pair.state() === NetState.Open);
});

test("receiving is bounded: a peer that sends without end is held back, and nothing is lost", async (t) => {
  const { pair, peer } = await open(t);
  const total = 8 * 1024 * 1024;
  const sent = Buffer.alloc(total, 7);
  sent.writeUInt32LE(1, 0);
  sent.writeUInt32LE(2, total - 4);
  const isTaken = peer.write(sent);
  assert.equal(isTaken, false);
  await pair.until(() => (pair.port.ready() & Want.Readable) !== 0);
  const got: Buffer[] = [];
  let length = 0;
  while (length < total) {
    const into = Buffer.alloc(4096);
    const part = pair.port.receive(pair.handle, into);
    assert.ok(part >= 0);
    if (part === 0) await pair.until(() => (pair.port.ready() & Want.Readable) !== 0);
    got.push(into.subarray(0, part));
    length += part;
  }
  assert.deepEqual(Buffer.concat(got), sent);
});

test("what arrived before the end is read before the end is told", async (t) => {
  const { pair, peer } = await open(t);
  peer.end("last words");
  await pair.until(() => (pair.port.ready() & Want.Work) !== 0);
  const into = Buffer.alloc(4);
  const read: string[] = [];
  let part = 0;
  while ((part = pair.port.receive(pair.handle, into)) > 0) read.push(into.toString("utf8", 0, part));
  assert.deepEqual(read, ["last", " wor", "ds"]);
  assert.equal(part, Status.ConnectionClosed);
  assert.equal(pair.state(), Status.ConnectionClosed);
});

test("a close lets accepted bytes leave, and settled tells when", async (t) => {
  const { pair, peer } = await open(t);
  const chunks: Buffer[] = [];
  peer.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = once(peer, "end");
  pair.port.send(pair.handle, Buffer.from("goodbye"));
  pair.port.close(pair.handle);
  let isSettled = false;
  const settled = pair.port.settled().then(() => { isSettled = true; });
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(isSettled, false, "nothing has left yet: the event loop has not turned");
  await ended;
  assert.equal(Buffer.concat(chunks).toString(), "goodbye");
  await settled;
});

test("a peer that never reads cannot hold a close for longer than its second", async (t) => {
  const { pair, peer } = await open(t);
  peer.pause();
  const block = new Uint8Array(65536);
  // Until the peer's window and the system's buffers are full as well.
  for (let idle = 0; idle < 3;) {
    idle = pair.port.send(pair.handle, block) > 0 ? 0 : idle + 1;
    pair.port.flush();
    await new Promise((resolve) => setImmediate(resolve));
  }
  pair.port.close(pair.handle);
  await pair.port.settled();
});

test("a close hears a peer out that still sends: it sees an end, no reset", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] }); // however long it takes, the close's second is not over
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const net = new SocketPort(undefined);
  const handle = net.open("127.0.0.1", (server.address() as AddressInfo).port, 0);
  const [peer] = await accepted;
  let failure = "";
  peer.on("error", (error) => { failure = error.message; });
  while (net.state(handle) !== NetState.Open) await new Promise<void>((resolve) => { net.onActivity = () => resolve(); });
  net.send(handle, Buffer.from("goodbye"));
  net.flush();
  net.close(handle);
  peer.write(Buffer.alloc(4 << 20)); // more than the buffers on the way hold
  const chunks: Buffer[] = [];
  peer.on("data", (chunk: Buffer) => chunks.push(chunk));
  peer.on("end", () => peer.end());
  const [hadError] = await once(peer, "close", { signal: AbortSignal.timeout(PATIENCE_MS) }) as [boolean];
  assert.deepEqual([hadError, failure, Buffer.concat(chunks).toString()], [false, "", "goodbye"]);
  await net.settled();
});
