// How connecting succeeds and fails, by name.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import mqttPacket, { type Packet } from "mqtt-packet";
import { NetState, Want } from "../../build/generated/abi.ts";
import { ConfigurationError, DeviceClient, DisconnectedError, RefusedError, type Configuration, type NetPort } from "../../host/node/index.ts";
import { client, connected, listen, nextEvent, withStatus } from "./harness.ts";

/** A port at which nobody listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("nobody listens: the first attempt rejects, and the client is stopped", async (t) => {
  const made = client(t, await closedPort());
  await assert.rejects(made.connect(), withStatus("ConnectionRefused", DisconnectedError));
  assert.equal(made.state, "Stopped");
});

/** A network that is a few lines of a broker, in this process. */
class BrokerWithoutNetwork implements NetPort {
  onActivity: (happened: number) => void = () => {};
  readonly opened: string[] = [];
  readonly topics: string[] = [];
  #incoming = Buffer.alloc(0);
  readonly #parser = mqttPacket.parser({ protocolVersion: 4 });

  constructor() {
    this.#parser.on("packet", (packet) => {
      if (packet.cmd === "connect") this.#answer({ cmd: "connack", returnCode: 0, sessionPresent: false });
      if (packet.cmd !== "publish") return;
      this.topics.push(packet.topic);
      if (packet.qos === 1) this.#answer({ cmd: "puback", messageId: packet.messageId! });
    });
  }

  open(host: string, port: number): number {
    this.opened.push(`${host}:${port}`);
    setImmediate(() => this.onActivity(Want.Work | Want.Writable));
    return 1;
  }

  state(): number {
    return NetState.Open;
  }

  send(_handle: number, bytes: Uint8Array): number {
    const copy = Buffer.from(bytes);
    // The module is on the stack: nothing may happen before it has returned.
    setImmediate(() => this.#parser.parse(copy));
    return bytes.length;
  }

  receive(_handle: number, into: Uint8Array): number {
    const length = this.#incoming.copy(into);
    this.#incoming = this.#incoming.subarray(length);
    return length;
  }

  close(): void {}
  flush(): void {}

  ready(): number {
    return Want.Writable | (this.#incoming.length > 0 ? Want.Readable : 0);
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  #answer(packet: Packet): void {
    this.#incoming = Buffer.concat([this.#incoming, mqttPacket.generate(packet)]);
    this.onActivity(Want.Readable);
  }
}

test("a network of one's own takes the place of sockets", async (t) => {
  const net = new BrokerWithoutNetwork();
  const made = client(t, 4711, { mqtt_host: "radio.test" }, { ports: { net } });
  await made.connect();
  await made.publish("a/b", "c");
  assert.deepEqual([net.opened, net.topics], [["radio.test:4711"], ["a/b"]]);
});

test("with retry it goes on until somebody listens", async (t) => {
  const broker = await listen(t);
  const made = client(t, broker.port);
  broker.answers.connect = false;
  const events = made.events();
  const connecting = made.connect({ retry: true });
  (await broker.link()).socket.destroy();
  await nextEvent(events, "Disconnected");
  broker.answers.connect = true;
  for (const link of broker.links) link.answers.connect = true;
  (await broker.link(2)).socket.on("close", () => {});
  await connecting;
  assert.equal(made.state, "Connected");
});

test("a name that does not exist", async (t) => {
  const made = client(t, 1883, { mqtt_host: "no-such-host.invalid" });
  await assert.rejects(made.connect(), withStatus("DnsFailed", DisconnectedError));
});

for (const returnCode of [1, 2, 4, 5]) {
  test(`CONNACK ${returnCode} rejects even with retry`, async (t) => {
    const broker = await listen(t);
    broker.answers.connect = false;
    const made = client(t, broker.port);
    const connecting = made.connect({ retry: true });
    const link = await broker.link();
    await link.packet("connect");
    link.send({ cmd: "connack", returnCode, sessionPresent: false });
    await assert.rejects(connecting, (error) => error instanceof RefusedError && error.returnCode === returnCode);
  });
}

test("a connection in the middle of connecting tells its state", async (t) => {
  const broker = await listen(t);
  broker.answers.connect = false;
  const made = client(t, broker.port);
  assert.equal(made.state, "Stopped");
  const connecting = made.connect();
  const link = await broker.link();
  await link.packet("connect");
  assert.equal(made.state, "Connecting");
  link.send({ cmd: "connack", returnCode: 0, sessionPresent: false });
  await connecting;
  assert.equal(made.state, "Connected");
});

test("connect can be aborted, and leaves the client stopped", async (t) => {
  const broker = await listen(t);
  broker.answers.connect = false;
  const made = client(t, broker.port);
  const controller = new AbortController();
  const connecting = made.connect({ signal: controller.signal });
  await (await broker.link()).packet("connect");
  controller.abort(new Error("enough"));
  await assert.rejects(connecting, /enough/);
  assert.equal(made.state, "Stopped");
  await (await broker.link()).closed();
});

test("a reset is told as such", async (t) => {
  const { link, client: made } = await connected(t);
  const events = made.events();
  link.socket.resetAndDestroy();
  assert.equal((await nextEvent(events, "Disconnected")).reason, "ConnectionReset");
});

test("garbage from the peer closes the connection by name", async (t) => {
  const { link, client: made } = await connected(t);
  const events = made.events();
  link.socket.write(Buffer.from([0xf0, 0]));
  assert.equal((await nextEvent(events, "Disconnected")).reason, "ProtocolError");
});

test("a profile tells its features, and refuses what it lacks by name", async (t) => {
  const { client: device } = await connected(t);
  for (const feature of ["Raw", "Attributes", "Requests"] as const) assert.ok(device.features.includes(feature), feature);
  const { client: minimal } = await connected(t, { shared_attributes: undefined }, { profile: "minimal" });
  assert.deepEqual(minimal.features, []);
  await minimal.sendTelemetry({ a: 1 });
  await assert.rejects(minimal.publish("a", "b"), withStatus("NotInProfile"));
  assert.throws(() => minimal.subscribe("a"), withStatus("NotInProfile"));
});

test("two clients in one process do not know of each other", async (t) => {
  const one = await connected(t, { client_id: "one" });
  const two = await connected(t, { client_id: "two" });
  const events = two.client.events();
  await one.client.stop();
  await two.client.sendTelemetry({ a: 2 });
  assert.equal((await one.link.packet("connect")).clientId, "one");
  assert.equal((await two.link.packet("connect")).clientId, "two");
  assert.equal(one.link.of("publish").length, 0);
  assert.equal(two.client.state, "Connected");
  await events.return!();
});

const faults: [name: string, configuration: unknown, status: string, text: string][] = [
  ["an unknown key", { mqtt_host: "h", mqtt_hots: "x" }, "UnknownKey", "mqtt_hots"],
  ["another type", { mqtt_host: "h", mqtt_port: "1883" }, "WrongType", "mqtt_port"],
  ["a value out of range", { mqtt_host: "h", qos: 2 }, "InvalidValue", "qos"],
  ["a missing key", {}, "MissingKey", "mqtt_host"],
  ["a tls key of no host", { mqtt_host: "h", tls: { verfy: false } }, "UnknownKey", "tls.verfy"],
  ["a tls value of another type", { mqtt_host: "h", tls: { verify: "no" } }, "WrongType", "tls.verify"],
  ["tls that is no object", { mqtt_host: "h", tls: true }, "WrongType", "tls"],
  ["a certificate that is not there", { mqtt_host: "h", tls: { ca: "no-such-file.pem" } }, "InvalidValue", "tls.ca: cannot read no-such-file.pem"],
];

for (const [name, configuration, status, text] of faults) {
  test(`the configuration: ${name}`, () => {
    assert.throws(() => new DeviceClient(configuration as Configuration), (error) => {
      withStatus(status, ConfigurationError)(error);
      assert.equal((error as ConfigurationError).text, text);
      return true;
    });
  });
}

test("the configuration as text: its faults never quote it", () => {
  assert.throws(() => new DeviceClient('{"mqtt_host":"h","password":"hunter2" oops}'), (error) => {
    withStatus("Malformed", ConfigurationError)(error);
    assert.doesNotMatch((error as Error).message, /hunter2|oops/);
    return true;
  });
  assert.throws(() => new DeviceClient('{"mqtt_host":"h","mqtt_host":"i"}'), withStatus("InvalidValue", ConfigurationError));
});

test("a disconnect that start takes back before there is a connection: connect waits for one, and disconnect ends too", async (t) => {
  const broker = await listen(t);
  broker.answers.connect = false;
  const made = client(t, broker.port);
  made.start();
  await (await broker.link()).packet("connect");
  const disconnected = made.disconnect();
  const connecting = made.connect();
  assert.notEqual(made.state, "Connected", "no CONNACK has come");
  broker.answers.connect = true;
  await Promise.all([disconnected, connecting]);
  assert.equal(broker.links.length, 2);
  assert.equal(made.state, "Connected");
});

test("a disconnect that start takes back while the outbox drains: the connection stays, and disconnect ends", async (t) => {
  const { link, client: made } = await connected(t);
  link.answers.publish = false;
  const sent = made.sendTelemetry({ a: 1 });
  const published = await link.packet("publish");
  const disconnected = made.disconnect();
  assert.equal(made.state, "Draining");
  await made.connect();
  await disconnected;
  link.puback(published.messageId!);
  await sent;
  assert.equal(made.state, "Connected");
  assert.equal(link.of("disconnect").length, 0);
});

const places: [name: string, text: string, place: string][] = [
  ["a value that is none", '{"mqtt_host":"h","password":"hunter2","qos":one}', "line 1, column 45"],
  ["a word that is cut off", '{"mqtt_host":"h",\n"password":"hunter2",\n"clean_session": tru\n}', "line 3, column 21"],
  ["an end that came too early", '{"mqtt_host":"h",\n"password":"hunter2",\n"qos":', "line 3, column 7"],
  ["a string without its end", '{"mqtt_host":"h",\n"password":"hunter2', "line 2, column 20"],
  ["nothing in it", "", "line 1, column 1"],
  ["something behind it", '{"mqtt_host":"h"}\n;', "line 2, column 1"],
  ["a byte order mark", '\ufeff{"mqtt_host":"h"}', "line 1, column 1"],
  ["a number that begins with 0", '{"mqtt_port":01883}', "line 1, column 15"],
];

for (const [name, text, place] of places) {
  test(`the configuration as text says where its fault is: ${name}`, () => {
    assert.throws(() => new DeviceClient(text), (error) => {
      withStatus("Malformed", ConfigurationError)(error);
      assert.equal((error as ConfigurationError).text, `not JSON at ${place}`);
      return true;
    });
  });
}

test("a configuration that is a text is text, also between its quotes", () => {
  for (const member of ['"client_id":"\ud800"', '"host":{"mine":"\udc00"}']) {
    assert.throws(() => new DeviceClient(`{"mqtt_host":"h",${member}}`), withStatus("InvalidUtf8", ConfigurationError), member);
  }
});
