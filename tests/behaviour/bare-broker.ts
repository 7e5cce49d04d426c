// A broker of a few lines over plain TCP, every packet of which a test may decide on; it keeps the very bytes that came.

import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import mqttPacket, { type Packet } from "mqtt-packet";
import { freePort } from "./harness.ts";
import { Watch } from "./watch.ts";

export type PacketOf<Command extends Packet["cmd"]> = Extract<Packet, { cmd: Command }>;

/** The packets that a broker answers by itself. */
export interface Answers {
  connect: boolean;
  subscribe: boolean;
  publish: boolean;
  ping: boolean;
}

export function answerTo(packet: Packet, answers: Answers): Packet | undefined {
  if (packet.cmd === "connect" && answers.connect) return { cmd: "connack", returnCode: 0, sessionPresent: false };
  if (packet.cmd === "subscribe" && answers.subscribe) return { cmd: "suback", messageId: packet.messageId!, granted: packet.subscriptions.map(({ qos }) => qos) };
  if (packet.cmd === "unsubscribe") return { cmd: "unsuback", messageId: packet.messageId!, granted: [] };
  if (packet.cmd === "publish" && packet.qos === 1 && answers.publish) return { cmd: "puback", messageId: packet.messageId! };
  return packet.cmd === "pingreq" && answers.ping ? { cmd: "pingresp" } : undefined;
}

/** One connection of a client. */
export class BareLink {
  readonly packets: Packet[] = [];
  isClosed = false;
  /** What is answered without being asked. */
  readonly answers: Answers;
  readonly #chunks: Buffer[] = [];
  readonly #watch = new Watch();

  constructor(readonly socket: Socket, answers: Answers, onPacket: (packet: Packet, link: BareLink) => void) {
    this.answers = { ...answers };
    const parser = mqttPacket.parser({ protocolVersion: 4 });
    parser.on("packet", (packet) => {
      this.packets.push(packet);
      onPacket(packet, this);
      const answer = answerTo(packet, this.answers);
      if (answer !== undefined && !socket.destroyed) this.send(answer);
      this.#watch.changed();
    });
    parser.on("error", () => socket.destroy());
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      parser.parse(chunk);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
      this.#watch.changed();
    });
  }

  /** All that came, as it came. */
  received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  send(...packets: (Packet | Buffer)[]): void {
    this.socket.write(Buffer.concat(packets.map((packet) => (Buffer.isBuffer(packet) ? packet : mqttPacket.generate(packet)))));
  }

  puback(messageId: number): void {
    this.send({ cmd: "puback", messageId });
  }

  of<Command extends Packet["cmd"]>(command: Command): PacketOf<Command>[] {
    return this.packets.filter((packet): packet is PacketOf<Command> => packet.cmd === command);
  }

  /** The packet of a kind with this number, counted from 1. */
  packet<Command extends Packet["cmd"]>(command: Command, count = 1): Promise<PacketOf<Command>> {
    return this.#until(`${command} number ${count}`, () => this.of(command)[count - 1]);
  }

  closed(): Promise<true> {
    return this.#until("the end of the connection", () => this.isClosed || undefined);
  }

  #until<Found>(what: string, find: () => Found | undefined): Promise<Found> {
    return this.#watch.until(what, find, () => `${this.packets.map(({ cmd }) => cmd).slice(-20).join(" ")}${this.isClosed ? ", closed" : ""}`);
  }
}

export class BareBroker {
  readonly links: BareLink[] = [];
  /** What new connections answer by themselves. */
  readonly answers: Answers = { connect: true, subscribe: true, publish: true, ping: true };
  /** Sees each packet before it is answered. */
  onPacket: (packet: Packet, link: BareLink) => void = () => {};
  readonly #watch = new Watch();

  private constructor(readonly port: number) {}

  static async open(test: TestContext): Promise<BareBroker> {
    const broker = new BareBroker(await freePort());
    const server = createServer((socket) => {
      broker.links.push(new BareLink(socket, broker.answers, (packet, link) => broker.onPacket(packet, link)));
      broker.#watch.changed();
    });
    server.listen(broker.port, "127.0.0.1");
    await once(server, "listening");
    test.after(() => {
      for (const { socket } of broker.links) socket.destroy();
      server.close();
    });
    return broker;
  }

  /** The connection with this number, counted from 1. */
  link(count = 1): Promise<BareLink> {
    return this.#watch.until(`connection number ${count}`, () => this.links[count - 1], () => `${this.links.length} connections`);
  }

  /** All packets of a kind over all connections, in order. */
  of<Command extends Packet["cmd"]>(command: Command): PacketOf<Command>[] {
    return this.links.flatMap((link) => link.of(command));
  }
}
