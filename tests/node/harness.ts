// A broker of a few lines whose every packet a test decides on, and clients that end with the test.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server as TlsServer } from "node:tls";
import type { TestContext } from "node:test";
import mqttPacket, { type Packet } from "mqtt-packet";
import type { ImportFunctions } from "../../host/node/imports.ts";
import type { ModuleHooks } from "../../host/node/instance.ts";
import { DeviceClient, type ClientOptions, type Configuration, type LinkEvent } from "../../host/node/index.ts";
import { answerTo, type Answers } from "../behaviour/bare-broker.ts";

/** A test that waits longer than this has failed; nothing measures it. */
export const PATIENCE_MS = 8000;

type PacketOf<Command extends Packet["cmd"]> = Extract<Packet, { cmd: Command }>;

/** One connection to the broker. */
export class Link {
  readonly packets: Packet[] = [];
  /** Chunks as TCP delivered them. */
  readonly chunks: Buffer[] = [];
  /** What is done with packets that a test does not want for itself. */
  answers: Answers = { connect: true, subscribe: true, publish: true, ping: true };
  #changed: (() => void)[] = [];
  isClosed = false;

  constructor(readonly socket: Socket) {
    const parser = mqttPacket.parser({ protocolVersion: 4 });
    parser.on("packet", (packet) => {
      this.packets.push(packet);
      const answer = answerTo(packet, this.answers);
      if (answer !== undefined) this.send(answer);
      this.#wake();
    });
    parser.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.chunks.push(chunk);
      parser.parse(chunk);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  send(packet: Packet): void {
    this.socket.write(mqttPacket.generate(packet));
  }

  publish(topic: string, payload: string | Buffer, options: { qos?: 0 | 1; messageId?: number; retain?: boolean; dup?: boolean } = {}): void {
    const { qos = 0, messageId = 1, retain = false, dup = false } = options;
    this.send({ cmd: "publish", topic, payload, qos, retain, dup, ...(qos ? { messageId } : {}) });
  }

  puback(messageId: number): void {
    this.send({ cmd: "puback", messageId });
  }

  async until(isReached: () => boolean, what: string): Promise<void> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    while (!isReached()) {
      await new Promise<void>((resolve, reject) => {
        this.#changed.push(resolve);
        deadline.addEventListener("abort", () => reject(new Error(`${what} did not come; there is ${JSON.stringify(this.packets)}`)), { once: true });
      });
    }
  }

  /** The n-th packet of a kind, counted from 1. */
  async packet<Command extends Packet["cmd"]>(command: Command, count = 1): Promise<PacketOf<Command>> {
    await this.until(() => this.of(command).length >= count, `${command} number ${count}`);
    return this.of(command)[count - 1]!;
  }

  of<Command extends Packet["cmd"]>(command: Command): PacketOf<Command>[] {
    return this.packets.filter((packet): packet is PacketOf<Command> => packet.cmd === command);
  }

  closed(): Promise<void> {
    return this.until(() => this.isClosed, "the end of the connection");
  }

  #wake(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

export class BareBroker {
  readonly links: Link[] = [];
  port = 0;
  /** Changes what new connections answer by themselves. */
  readonly answers: Partial<Answers> = {};
  #waiting: (() => void)[] = [];

  constructor(readonly server: Server) {
    const take = (socket: Socket): void => {
      const link = new Link(socket);
      Object.assign(link.answers, this.answers);
      this.links.push(link);
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
    // A TLS server tells of a socket when its handshake is over.
    server.on(server instanceof TlsServer ? "secureConnection" : "connection", take);
  }

  async link(count = 1): Promise<Link> {
    while (this.links.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.links[count - 1]!;
  }
}

export async function listen(test: TestContext, server: Server = createServer()): Promise<BareBroker> {
  const broker = new BareBroker(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  broker.port = (server.address() as AddressInfo).port;
  test.after(() => {
    for (const { socket } of broker.links) socket.destroy();
    server.close();
  });
  return broker;
}

/** A client that reconnects at once, and asks the server for nothing unless the test does. */
export function client(test: TestContext, port: number, configuration: Partial<Configuration> = {}, options: ClientOptions = {}): DeviceClient {
  const made = new DeviceClient({
    mqtt_host: "127.0.0.1", mqtt_port: port, rpc: false, shared_attributes: false, session_limits: false, ignore_missing_features: true,
    reconnect_min_ms: 1, reconnect_max_ms: 20, ...configuration,
  }, options);
  test.after(() => made.stop());
  return made;
}

export async function connected(
  test: TestContext, configuration: Partial<Configuration> = {}, options: ClientOptions = {},
): Promise<{ broker: BareBroker; link: Link; client: DeviceClient }> {
  const broker = await listen(test);
  const made = client(test, broker.port, configuration, options);
  await made.connect();
  return { broker, link: await broker.link(), client: made };
}

type EventOf<Type, Event = LinkEvent> = Event extends { type: infer Types } ? (Type extends Types ? Event : never) : never;

/** The next event of a type. */
export async function nextEvent<Type extends LinkEvent["type"]>(events: AsyncIterator<LinkEvent>, type: Type): Promise<EventOf<Type>> {
  for (;;) {
    const { value, done } = await events.next() as IteratorResult<LinkEvent, undefined>;
    assert.notEqual(done, true, `the events ended before ${type}`);
    if (value!.type === type) return value as EventOf<Type>;
  }
}

/** Makes the next call of `now_ms` fail as a trap does, once or for good. */
export class Fault {
  isArmed = false;
  isPermanent = false;
  readonly hooks: ModuleHooks = {
    imports: (functions: ImportFunctions): ImportFunctions => ({
      ...functions,
      now_ms: (): bigint => {
        if (this.isArmed) {
          this.isArmed = this.isPermanent;
          throw new Error("injected");
        }
        return functions["now_ms"]!() as bigint;
      },
    }),
  };
}

/** How long the timers wait that are set for more than a minute, in order; they end at once. */
export function longWaits(test: TestContext): number[] {
  const waits: number[] = [];
  const set = globalThis.setTimeout;
  const setAtOnce = (run: () => void, ms = 0): NodeJS.Timeout => {
    const isLong = ms > 60_000;
    if (isLong) waits.push(ms);
    return set(run, isLong ? 0 : ms);
  };
  test.mock.method(globalThis, "setTimeout", setAtOnce as typeof setTimeout);
  return waits;
}

/** For assert.rejects and assert.throws: an error with this status, of this class. */
export function withStatus(status: string, Class: Function = Error): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Class, `${String(error)} is no ${Class.name}`);
    assert.equal((error as unknown as { status: string }).status, status);
    return true;
  };
}

export function temporaryDirectory(test: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "mote-"));
  test.after(() => rmSync(directory, { recursive: true }));
  return directory;
}
