// Starts the local server on free ports for a test and speaks to it: raw MQTT bytes, MQTT.js, and REST.

import assert from "node:assert/strict";
import { connect as connectTcp, type Socket } from "node:net";
import { test as nodeTest, type TestContext } from "node:test";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import mqttPacket, { type Packet, type Parser } from "mqtt-packet";
import { type LocalServer, type ServerOptions, startServer } from "../../host/server/server.ts";
import type { Device } from "../../host/server/device.ts";

/** A test that waits longer than this has failed; it is no part of any rule under test. */
const patienceMs = 4000;

/** A test that fails in time in place of hanging. */
export function test(name: string, body: (test: TestContext) => Promise<void> | void): void {
  void nodeTest(name, { timeout: 10_000 }, body);
}

export async function start(test: TestContext, options: ServerOptions = {}): Promise<LocalServer> {
  const server = await startServer({ mqttPort: 0, restPort: 0, ...options });
  test.after(() => server.close());
  return server;
}

export function onlyDevice(server: LocalServer): Device {
  const [device] = server.devices;
  assert.ok(device);
  return device;
}

/** A socket with queues of what came in, as bytes and as packets. */
export class RawClient {
  readonly socket: Socket;
  readonly packets: Packet[] = [];
  received = Buffer.alloc(0);
  isClosed = false;
  #waiting: (() => void)[] = [];
  readonly #parser: Parser;
  readonly #version: 4 | 5;

  constructor(socket: Socket, version: 4 | 5) {
    this.socket = socket;
    this.#version = version;
    this.#parser = mqttPacket.parser({ protocolVersion: version });
    this.#parser.on("packet", (packet: Packet) => this.packets.push(packet));
    // mqtt-packet takes no DISCONNECT with a CONNACK code, which this server sends (spec 1.3): the bytes are compared.
    this.#parser.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      this.received = Buffer.concat([this.received, bytes]);
      this.#parser.parse(bytes);
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  async #until(isReached: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!isReached()) {
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) assert.fail(`waited for ${what}; had ${this.received.toString("hex")}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  send(...packets: (Packet | Buffer)[]): void {
    const options = { protocolVersion: this.#version };
    this.socket.write(Buffer.concat(packets.map((p) => (Buffer.isBuffer(p) ? p : mqttPacket.generate(p, options)))));
  }

  /** The next bytes, as hex; exactly as many as `expected` has. */
  async expectBytes(expected: string): Promise<void> {
    const wanted = expected.replaceAll(" ", "").toLowerCase();
    const length = wanted.length / 2;
    await this.#until(() => this.received.length >= length || this.isClosed, `bytes ${expected}`);
    assert.equal(this.received.subarray(0, length).toString("hex"), wanted);
    this.received = this.received.subarray(length);
  }

  /** Nothing more came before the connection closed. */
  async expectClose(): Promise<void> {
    await this.#until(() => this.isClosed, "the connection to close");
    assert.equal(this.received.toString("hex"), "");
  }

  async next(): Promise<Packet> {
    await this.#until(() => this.packets.length > 0 || this.isClosed, "a packet");
    const packet = this.packets.shift();
    assert.ok(packet, "the connection closed before a packet came");
    return packet;
  }

  async nextPublish(): Promise<{ topic: string; text: string; qos: number; messageId: number | undefined }> {
    const packet = await this.next();
    assert.equal(packet.cmd, "publish");
    if (packet.cmd !== "publish") throw new Error("unreachable");
    return { topic: packet.topic, text: packet.payload.toString(), qos: packet.qos, messageId: packet.messageId };
  }

  /** Proves that all before is handled and answered: the PINGRESP must be the very next packet. */
  async expectNothing(): Promise<void> {
    this.send({ cmd: "pingreq" });
    const packet = await this.next();
    assert.equal(packet.cmd, "pingresp", `expected no packet, got ${JSON.stringify(packet)}`);
    this.received = Buffer.alloc(0);
  }
}

export async function rawConnect(test: TestContext, server: LocalServer, version: 4 | 5 = 4): Promise<RawClient> {
  const socket = connectTcp(server.mqttPort, "127.0.0.1");
  test.after(() => void socket.destroy());
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return new RawClient(socket, version);
}

/** Over TLS, trusting the server's authority; a certificate of the client's own goes into `options`. */
export async function rawConnectTls(test: TestContext, server: LocalServer, options: ConnectionOptions, version: 4 | 5 = 4): Promise<RawClient> {
  const socket = connectTls({ port: server.tlsPort!, host: "127.0.0.1", ...options });
  test.after(() => void socket.destroy());
  await new Promise((resolve, reject) => socket.once("secureConnect", () => resolve(null)).once("error", reject));
  return new RawClient(socket, version);
}

/** Bytes of a CONNECT with an access token, from mqtt-packet. */
export function connectBytes(username: string | null = "DEMO_TOKEN", more: object = {}): Buffer {
  const user = username === null ? {} : { username };
  return mqttPacket.generate({ cmd: "connect", clientId: "c", clean: true, keepalive: 60, ...user, ...more });
}

/** A raw client logged in with the demo token, its CONNACK already read. */
export async function rawLogin(test: TestContext, server: LocalServer, version: 4 | 5 = 4): Promise<RawClient> {
  const client = await rawConnect(test, server, version);
  client.send(connectBytes("DEMO_TOKEN", { protocolVersion: version }));
  await client.expectBytes(version === 5 ? "20 03 00 00 00" : "20 02 00 00");
  client.packets.length = 0;
  return client;
}

export function publish(topic: string, payload: string | Buffer, qos: 0 | 1 | 2 = 1, messageId = 7): Packet {
  return { cmd: "publish", topic, payload, qos, messageId, dup: false, retain: false };
}

export function subscribe(messageId: number, ...filters: [topic: string, qos: 0 | 1 | 2][]): Packet {
  return { cmd: "subscribe", messageId, subscriptions: filters.map(([topic, qos]) => ({ topic, qos })) };
}

export async function mqttJs(test: TestContext, server: LocalServer, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await mqtt.connectAsync(server.mqttUrl, { username: "DEMO_TOKEN", reconnectPeriod: 0, ...options });
  test.after(() => client.endAsync(true));
  return client;
}

export interface RestAnswer {
  readonly status: number;
  readonly text: string;
}

export async function rest(server: LocalServer, method: string, path: string, body?: string): Promise<RestAnswer> {
  const response = await fetch(server.restUrl + path, {
    method,
    ...(body === undefined ? {} : { body, headers: { "content-type": "application/json" } }),
  });
  return { status: response.status, text: await response.text() };
}
