// The socket of one client: whole packets in, packets of the client's MQTT version out, and the ways a connection can end.

import type { Socket } from "node:net";
import mqttPacket, { type Packet, type Parser } from "mqtt-packet";
import { Framer } from "./framer.ts";
import { reason } from "./reasons.ts";

export interface WireListener {
  onPacket(packet: Packet): void;
  /** Bytes no decoder takes (spec 1.1). */
  onMalformed(cause: string): void;
  /** The client has gone. */
  onGone(cause: string): void;
  /** All packets of one read were handed over. */
  onReadDone(): void;
}

/** How long a closing connection may take to flush: `transport.mqtt.disconnect_timeout` (spec 1.3). */
const flushTimeoutMs = 1000;

const authHeader = 0xf0;
const packetsWithId = new Set(["puback", "pubrec", "pubrel", "pubcomp", "subscribe", "unsubscribe"]);

export class Wire {
  readonly remote: string;
  /** Set by CONNECT. */
  version: 3 | 4 | 5 = 4;
  readonly #socket: Socket;
  readonly #tcp: Socket;
  readonly #listener: WireListener;
  readonly #framer = new Framer();
  readonly #parser: Parser = mqttPacket.parser();
  #arrived: Packet[] = [];
  #malformedCause: string | null = null;
  #isSilent = false;
  #isEnded = false;

  constructor(socket: Socket, listener: WireListener, tcp: Socket) {
    this.#socket = socket;
    this.#tcp = tcp;
    this.#listener = listener;
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#parser.on("packet", (packet: Packet) => this.#arrived.push(packet));
    this.#parser.on("error", (error: Error) => (this.#malformedCause ??= error.message));
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
    socket.on("error", (error) => listener.onGone(error.message));
    socket.on("end", () => {
      if (this.#isSilent) socket.destroy();
      listener.onGone("the client closed the connection");
    });
    socket.on("close", () => listener.onGone("the connection is gone"));
  }

  get needsDrain(): boolean {
    return this.#socket.writableNeedDrain;
  }

  whenWritable(resume: () => void): void {
    if (this.needsDrain) this.#socket.once("drain", resume);
    else resume();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  write(packet: Packet): void {
    if (this.#isWritable()) this.#socket.write(mqttPacket.generate(packet, { protocolVersion: this.version }));
  }

  /** SUBACK or UNSUBACK to a packet without filters, which the real server takes; mqtt-packet has no form for it. */
  writeEmptyAck(cmd: "suback" | "unsuback", messageId: number): void {
    const body = [messageId >> 8, messageId & 0xff, ...(this.version === 5 ? [0] : [])];
    if (this.#isWritable()) this.#socket.write(Buffer.of(cmd === "suback" ? 0x90 : 0xb0, body.length, ...body));
  }

  /** MQTT 5 DISCONNECT; success in the short form (spec 11.33). */
  writeDisconnect(reasonCode: number): void {
    if (!this.#isWritable()) return;
    this.#socket.write(reasonCode === reason.success ? Buffer.of(0xe0, 0) : Buffer.of(0xe0, 2, reasonCode, 0));
  }

  /** Closes once what was written is out. A silent wire keeps its socket until the client gives up or the server closes. */
  end(): void {
    if (this.#isEnded || this.#isSilent) return;
    this.#isEnded = true;
    this.#socket.end();
    // Reading goes on, to nowhere: unread bytes would turn the close into a reset and cost the client the last packets.
    this.#socket.resume();
    const timer = setTimeout(() => this.#socket.destroy(), flushTimeoutMs);
    this.#socket.once("close", () => clearTimeout(timer));
  }

  /** Breaks the connection with a TCP reset. */
  abort(): void {
    this.#isEnded = true;
    this.#tcp.resetAndDestroy();
  }

  /** From now on nothing is read and nothing written, and the socket stays open. */
  fallSilent(): void {
    this.#isSilent = true;
    this.#socket.resume();
  }

  #isWritable(): boolean {
    return !this.#isSilent && !this.#isEnded && this.#socket.writable;
  }

  #read(bytes: Buffer): void {
    if (this.#isSilent || this.#isEnded || this.#malformedCause !== null) return;
    this.#parse(bytes);
    const packets = this.#arrived;
    this.#arrived = [];
    for (const packet of packets) {
      if (this.#isSilent || this.#isEnded) return;
      if (isDecodable(packet, this.version)) this.#listener.onPacket(packet);
      else this.#listener.onMalformed(`bad ${packet.cmd}`);
    }
    if (this.#malformedCause !== null) this.#listener.onMalformed(this.#malformedCause);
    else this.#listener.onReadDone();
  }

  #parse(bytes: Buffer): void {
    try {
      for (const packet of this.#framer.push(bytes)) {
        // AUTH has no use here, and mqtt-packet takes none without properties.
        if (packet[0] === authHeader) this.#arrived.push({ cmd: "auth", reasonCode: reason.success });
        else this.#parser.parse(packet);
        if (this.#malformedCause !== null) return;
      }
    } catch (error) {
      this.#malformedCause = (error as Error).message;
    }
  }
}

/** What Netty checks and mqtt-packet does not: packet id 0, wildcards in a PUBLISH topic (spec 1.1, 2.11), AUTH before MQTT 5. */
function isDecodable(packet: Packet, version: 3 | 4 | 5): boolean {
  if (packet.cmd === "auth") return version === 5;
  if (packet.cmd === "publish" && /[+#]/.test(packet.topic)) return false;
  const carriesId = packet.cmd === "publish" ? packet.qos > 0 : packetsWithId.has(packet.cmd);
  return !carriesId || (packet.messageId ?? 0) > 0;
}
