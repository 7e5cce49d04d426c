// One client connection: ThingsBoard's byte rules on the socket side, a plain MQTT 3.1.1 conversation with aedes on the other.

import type { Socket } from "node:net";
import type { Client } from "aedes";
import mqttPacket, { type IConnectPacket, type Packet, type Parser } from "mqtt-packet";
import { Acknowledger } from "./acknowledger.ts";
import { type BrokerPeer, BrokerStream } from "./broker.ts";
import type { Device } from "./device.ts";
import type { ServerEvents } from "./events.ts";
import type { Faults } from "./faults.ts";
import { Framer } from "./framer.ts";
import { isUndecodable, type LoginVerdict, type Refusal } from "./login.ts";
import type { Outcome } from "./outcome.ts";
import { reason } from "./reasons.ts";
import type { Downlink, Link, Session } from "./session.ts";
import { filterMeaning } from "./topics.ts";

/** What a door needs of the server behind it. */
export interface DoorHost {
  readonly faults: Faults;
  readonly events: ServerEvents;
  attach(stream: BrokerStream): Client;
  login(connect: IConnectPacket): LoginVerdict;
  openSession(device: Device, clientId: string, link: Link): Session;
  closeSession(session: Session, cause: string): void;
  receive(session: Session, topic: string, payload: Buffer): Outcome;
}

type Phase = "awaitingConnect" | "loggingIn" | "open" | "silent" | "closing";
type Version = 3 | 4 | 5;

interface Arrival {
  readonly packet: Packet;
  /** Sent before CONNACK: a packet that throws is swallowed then (spec 11.13). */
  readonly isEarly: boolean;
}

/** `transport.mqtt.msg_queue_size_per_device_limit` (spec 1.1). */
const earlyPacketsMax = 100;
/** How long a closed connection may take to flush: `transport.mqtt.disconnect_timeout` (spec 1.3). */
const flushTimeoutMs = 1000;
/** Longest topic aedes takes, in levels; ThingsBoard calls a deeper or an empty one unknown (R5). */
const brokerTopicLevelsMax = 100;

export class Door implements Link, BrokerPeer {
  readonly remote: string;
  readonly #socket: Socket;
  readonly #host: DoorHost;
  readonly #name: string;
  readonly #framer = new Framer();
  readonly #clientParser: Parser = mqttPacket.parser();
  readonly #acknowledger: Acknowledger;
  readonly #downlinkTimers = new Set<NodeJS.Timeout>();
  #phase: Phase = "awaitingConnect";
  #version: Version = 4;
  #connect: IConnectPacket | null = null;
  #refusal: Refusal | null = null;
  #session: Session | null = null;
  #stream: BrokerStream | null = null;
  #client: Client | null = null;
  #brokerParser: Parser = mqttPacket.parser();
  /** Downlinks given to the broker, in the order their packets will come back. */
  #downlinks: { downlink: Downlink; qos: 0 | 1 }[] = [];
  #inbox: Arrival[] = [];
  /** The packet the broker is working on; the next one waits, so all are handled in arrival order. */
  #current: Arrival | null = null;
  #isStalled = false;
  #pubackReason: number = reason.success;
  #subackCodes: number[] = [];

  constructor(socket: Socket, host: DoorHost, name: string) {
    this.#socket = socket;
    this.#host = host;
    this.#name = name;
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#acknowledger = new Acknowledger(host.faults, (puback) => this.#write({ cmd: "puback", ...puback }));
    this.#clientParser.on("packet", (packet: Packet) => this.#arrive(packet));
    this.#clientParser.on("error", (error: Error) => this.#rejectBytes(error.message));
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => this.#fromClient(bytes));
    socket.on("error", (error) => this.#end(error.message));
    socket.on("end", () => this.#end("the client closed the connection"));
    socket.on("close", () => this.#end("the connection is gone"));
  }

  // From the client

  #fromClient(bytes: Buffer): void {
    if (this.#phase === "closing" || this.#phase === "silent") return;
    try {
      for (const packet of this.#framer.push(bytes)) {
        this.#clientParser.parse(packet);
        if (this.#isOver()) return;
      }
    } catch (error) {
      this.#rejectBytes((error as Error).message);
    }
    // Reading goes on once the broker has caught up; before CONNACK the queue has its own bound.
    if (this.#phase === "open" && this.#inbox.length > 0 && !this.#isStalled) this.#socket.pause();
  }

  #isOver(): boolean {
    return this.#phase === "closing" || this.#phase === "silent";
  }

  #arrive(packet: Packet): void {
    if (this.#isOver()) return;
    if (!hasGoodPacketId(packet) || hasWildcardTopic(packet)) return this.#rejectBytes(`bad ${packet.cmd}`);
    if (packet.cmd === "connect" && this.#phase === "awaitingConnect") return this.#login(packet);
    const isEarly = this.#phase !== "open";
    this.#inbox.push({ packet, isEarly });
    if (isEarly && this.#inbox.length > earlyPacketsMax) {
      return this.close(reason.quotaExceeded, `more than ${earlyPacketsMax} packets before CONNACK`);
    }
    this.#isStalled = false;
    this.#drain();
  }

  #login(connect: IConnectPacket): void {
    if (isUndecodable(connect)) return this.#end("undecodable CONNECT");
    this.#detach("logged in again");
    this.#connect = connect;
    this.#version = connect.protocolVersion ?? 4;
    this.#phase = "loggingIn";
    const stream = new BrokerStream(this);
    this.#stream = stream;
    this.#brokerParser = mqttPacket.parser();
    this.#brokerParser.on("packet", (packet: Packet) => this.#fromBrokerPacket(packet));
    stream.once("close", () => {
      if (this.#stream === stream) this.close(reason.serverShuttingDown, "the broker ended the conversation");
    });
    this.#client = this.#host.attach(stream);
    this.#client.on("connected", () => {
      if (this.#stream !== stream || this.#phase !== "loggingIn") return;
      this.#phase = "open";
      this.#drain();
    });
    // The broker sees a session of its own making: no will, no keep-alive, no stored state (spec 1.4).
    this.#toBroker({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clientId: this.#name, clean: true, keepalive: 0 });
  }

  /** Gives the broker the next packet, one at a time. */
  #drain(): void {
    while (this.#phase === "open" && this.#current === null && !this.#isStalled) {
      const arrival = this.#inbox.shift();
      if (arrival === undefined) {
        this.#socket.resume();
        return;
      }
      this.#handle(arrival);
    }
  }

  /** After a swallowed exception the queue rests until the next packet arrives (spec 11.13). */
  #stall(): void {
    this.#isStalled = true;
    this.#socket.resume();
  }

  #handle(arrival: Arrival): void {
    const { packet } = arrival;
    const session = this.#session!;
    switch (packet.cmd) {
      case "connect":
        return this.#login(packet);
      case "publish": {
        const levels = packet.topic.split("/").length;
        const topic = packet.topic === "" || levels > brokerTopicLevelsMax ? "unknown" : packet.topic;
        this.#current = arrival;
        // QoS 2 is answered with PUBACK; RETAIN and DUP are ignored (spec 1.4).
        return this.#toBroker({ ...packet, topic, qos: packet.qos === 0 ? 0 : 1, retain: false, dup: false });
      }
      case "subscribe": {
        session.touch();
        const codes = this.#grant(packet.subscriptions);
        const granted = new Map(packet.subscriptions.map(({ topic }, i) => [topic, codes[i]!]));
        const subscriptions = [...granted]
          .filter((entry): entry is [string, 0 | 1] => entry[1] !== reason.subscribeRefused)
          .map(([topic, qos]) => ({ topic, qos }));
        this.#current = arrival;
        this.#subackCodes = codes;
        // aedes would grant QoS 2, merge repeated filters and close on a bad one: it gets the good ones only.
        if (subscriptions.length === 0) return this.#subscribed(packet.messageId!);
        return this.#toBroker({ cmd: "subscribe", messageId: packet.messageId!, subscriptions });
      }
      case "unsubscribe": {
        session.touch();
        if (packet.unsubscriptions.some((filter) => !isRegularExpression(filter))) {
          if (!arrival.isEarly) return this.close(reason.serverShuttingDown, "UNSUBSCRIBE filter is no regular expression");
          return this.#stall();
        }
        this.#current = arrival;
        const held = packet.unsubscriptions.filter((filter) => session.isSubscribed(filter));
        if (held.length === 0) return this.#unsubscribed(packet.messageId!);
        return this.#toBroker({ cmd: "unsubscribe", messageId: packet.messageId!, unsubscriptions: held });
      }
      case "pingreq":
        session.touch();
        this.#current = arrival;
        return this.#toBroker({ cmd: "pingreq" });
      case "puback":
        return session.acknowledge(packet.messageId!);
      case "disconnect":
        return this.close(reason.success, "the client disconnected");
      default:
        // PUBREC, PUBREL, PUBCOMP, AUTH and packets only a server sends are ignored (spec 1.4).
        return;
    }
  }

  /** One code per filter, exact strings only (spec 2.11). */
  #grant(subscriptions: readonly { topic: string; qos: number }[]): number[] {
    const isRefusing = this.#host.faults.take("refuseSuback");
    return subscriptions.map(({ topic, qos }) => {
      if (!isRefusing && filterMeaning(topic) !== undefined) return Math.min(qos, 1);
      const device = this.#session!.device;
      this.#host.events.emit("refused", { device, what: "subscribe", detail: topic, reason: "filter not allowed" });
      return reason.subscribeRefused;
    });
  }

  #rejectBytes(cause: string): void {
    this.close(reason.malformedPacket, cause);
  }

  // The broker's questions and answers

  authenticate(): boolean {
    const connect = this.#connect!;
    const verdict = this.#host.login(connect);
    if ("refusal" in verdict) {
      this.#refusal = verdict.refusal;
      return false;
    }
    this.#session = this.#host.openSession(verdict.device, connect.clientId, this);
    return true;
  }

  decidePublish(topic: string, payload: Buffer): "acknowledge" | "silent" | "close" {
    const { packet } = this.#current!;
    const decision = this.#decide(topic, payload);
    // With a PUBACK on its way the packet is done when that was written.
    const hasPubackComing = decision === "acknowledge" && packet.cmd === "publish" && packet.qos > 0;
    if (decision !== "close" && !hasPubackComing) this.#done();
    return decision;
  }

  #decide(topic: string, payload: Buffer): "acknowledge" | "silent" | "close" {
    const { packet, isEarly } = this.#current!;
    const session = this.#session!;
    const qos = packet.cmd === "publish" ? packet.qos : 0;
    const outcome: Outcome = this.#host.faults.take("exceedRate")
      ? { kind: "limited" }
      : this.#host.receive(session, topic, payload);
    if (outcome.kind !== "accepted") this.#reportPublish(topic, outcome);
    this.#pubackReason = reason.success;
    switch (outcome.kind) {
      case "accepted":
        if (outcome.keepsAlive) session.touch();
        return "acknowledge";
      case "unanswered":
        return "silent";
      case "unknownTopic":
        this.#pubackReason = reason.topicNameInvalid;
        return "acknowledge";
      case "unconvertible":
        this.#pubackReason = reason.payloadFormatInvalid;
        if (qos > 0 && (this.#version === 5 || session.device.acknowledgesBadPayload)) return "acknowledge";
        this.close(reason.payloadFormatInvalid, outcome.reason);
        return "close";
      case "limited":
        this.close(reason.implementationSpecificError, "over a limit");
        return "close";
      case "exception":
        if (isEarly) {
          this.#stall();
          return "silent";
        }
        this.close(reason.serverShuttingDown, outcome.reason);
        return "close";
    }
  }

  #reportPublish(topic: string, outcome: Outcome): void {
    const why = "reason" in outcome ? outcome.reason : outcome.kind;
    this.#host.events.emit("refused", { device: this.#session!.device, what: "publish", detail: topic, reason: why });
  }

  fromBroker(bytes: Buffer): void {
    if (this.#phase !== "closing") this.#brokerParser.parse(bytes);
  }

  #fromBrokerPacket(packet: Packet): void {
    switch (packet.cmd) {
      case "connack":
        return this.#loggedIn();
      case "publish": {
        const next = this.#downlinks.shift();
        if (next !== undefined) this.#writeDownlink(next.downlink, next.qos);
        return;
      }
      case "puback":
        this.#acknowledger.send({ messageId: packet.messageId!, reasonCode: this.#pubackReason });
        return this.#done();
      case "suback":
        return this.#subscribed(packet.messageId!);
      case "unsuback":
        return this.#unsubscribed(packet.messageId!);
      case "pingresp":
        this.#write({ cmd: "pingresp" });
        return this.#done();
      default:
        return;
    }
  }

  whenWritable(resume: () => void): void {
    if (this.#socket.writableNeedDrain) this.#socket.once("drain", resume);
    else resume();
  }

  /** Session Present is the opposite of the clean flag, on refusals too (spec 1.3). */
  #loggedIn(): void {
    const connect = this.#connect!;
    const refusal = this.#refusal;
    const returnCode = refusal?.returnCode ?? 0;
    const reasonCode = refusal?.reasonCode ?? reason.success;
    this.#write({ cmd: "connack", sessionPresent: connect.clean === false, returnCode, reasonCode });
    if (refusal !== null) {
      const detail = connect.clientId;
      this.#host.events.emit("refused", { device: null, what: "connect", detail, reason: refusal.cause });
      return this.close(refusal.reasonCode, refusal.cause);
    }
    const { device, clientId } = this.#session!;
    this.#host.events.emit("connected", { device, clientId, protocolVersion: this.#version, remote: this.remote });
  }

  #subscribed(messageId: number): void {
    const { packet } = this.#current!;
    const session = this.#session!;
    const codes = this.#subackCodes;
    // The wire code of a refusal is 0x80, in v5 0x8F (spec 2.11).
    const refused = this.#version === 5 ? reason.topicFilterInvalid : reason.subscribeRefused;
    this.#write({ cmd: "suback", messageId, granted: codes.map((code) => (code === reason.subscribeRefused ? refused : code)) });
    let hasRpcFilter = false;
    if (packet.cmd === "subscribe") {
      packet.subscriptions.forEach(({ topic: filter }, i) => {
        const code = codes[i];
        if (code !== 0 && code !== 1) return;
        session.subscribe(filter, code);
        this.#host.events.emit("subscribed", { device: session.device, filter, qos: code });
        hasRpcFilter ||= filterMeaning(filter)?.kind === "rpc";
      });
    }
    if (hasRpcFilter) session.device.rpcs.resendPending();
    this.#done();
  }

  #unsubscribed(messageId: number): void {
    const { packet } = this.#current!;
    const session = this.#session!;
    const filters = packet.cmd === "unsubscribe" ? packet.unsubscriptions : [];
    const granted = filters.map((filter) => {
      if (session.isSubscribed(filter)) return reason.success;
      return filterMeaning(filter) === undefined ? reason.topicFilterInvalid : reason.noSubscriptionExisted;
    });
    for (const filter of filters) if (session.isSubscribed(filter)) session.unsubscribe(filter);
    this.#write({ cmd: "unsuback", messageId, granted });
    this.#done();
  }

  #done(): void {
    this.#current = null;
    // Not at once: this may run inside the broker's parser, which must finish its packet before it is given another.
    process.nextTick(() => this.#drain());
  }

  // To the client

  deliver(downlink: Downlink, qos: 0 | 1): void {
    const delayMs = this.#host.faults.takeReplyDelayMs();
    if (delayMs === 0) return this.#publish(downlink, qos);
    const timer = setTimeout(() => {
      this.#downlinkTimers.delete(timer);
      this.#publish(downlink, qos);
    }, delayMs);
    this.#downlinkTimers.add(timer);
  }

  #publish(downlink: Downlink, qos: 0 | 1): void {
    if (this.#phase !== "open" || this.#client === null) return;
    this.#downlinks.push({ downlink, qos });
    const { topic, payload } = downlink;
    this.#client.publish({ cmd: "publish", topic, payload, qos, retain: false, dup: false }, () => {});
  }

  #writeDownlink(downlink: Downlink, qos: 0 | 1): void {
    const session = this.#session!;
    const packetId = session.takePacketId();
    const messageId = qos === 1 && this.#host.faults.take("packetIdZero") ? 0 : packetId;
    if (qos === 1 && downlink.onAcknowledged !== undefined) session.awaitAcknowledge(messageId, downlink.onAcknowledged);
    const { topic, payload } = downlink;
    this.#write({ cmd: "publish", topic, payload, qos, messageId, retain: false, dup: false });
    downlink.onWritten?.(qos);
    this.#acknowledger.replyWritten();
  }

  #write(packet: Packet): void {
    if (this.#phase !== "silent") this.#socket.write(mqttPacket.generate(packet, { protocolVersion: this.#version }));
  }

  #toBroker(packet: Packet): void {
    this.#stream?.push(mqttPacket.generate(packet));
  }

  // The end

  close(reasonCode: number, cause: string): void {
    if (!this.#isOver() && this.#version === 5 && this.#connect !== null) this.#writeDisconnect(reasonCode);
    this.#end(cause);
  }

  abort(cause: string): void {
    this.#phase = "closing";
    this.#inbox = [];
    this.#detach(cause);
    this.#socket.resetAndDestroy();
  }

  fallSilent(): void {
    if (this.#phase !== "closing") this.#phase = "silent";
  }

  /** Success in the short form (spec 11.33). */
  #writeDisconnect(reasonCode: number): void {
    this.#socket.write(reasonCode === reason.success ? Buffer.of(0xe0, 0) : Buffer.of(0xe0, 2, reasonCode, 0));
  }

  #end(cause: string): void {
    if (this.#phase === "closing") return;
    const isSilent = this.#phase === "silent";
    if (!isSilent) this.#phase = "closing";
    this.#inbox = [];
    this.#detach(cause);
    // A silent connection keeps its socket until the client gives up, or the server closes.
    if (isSilent) return;
    this.#socket.end();
    const flushTimer = setTimeout(() => this.#socket.destroy(), flushTimeoutMs);
    this.#socket.once("close", () => clearTimeout(flushTimer));
  }

  /** Leaves the broker and the session, as a close or a second CONNECT does. */
  #detach(cause: string): void {
    const session = this.#session;
    const stream = this.#stream;
    this.#session = null;
    this.#stream = null;
    this.#client = null;
    this.#refusal = null;
    this.#current = null;
    this.#downlinks = [];
    this.#acknowledger.close();
    for (const timer of this.#downlinkTimers) clearTimeout(timer);
    this.#downlinkTimers.clear();
    stream?.destroy();
    if (session !== null) this.#host.closeSession(session, cause);
  }
}

/** Netty refuses packet id 0 in every packet that has one (spec 1.1, 2.11). */
function hasGoodPacketId(packet: Packet): boolean {
  const carriesId = packet.cmd === "publish" ? packet.qos > 0 : packetsWithId.has(packet.cmd);
  return !carriesId || (packet.messageId ?? 0) > 0;
}

const packetsWithId = new Set(["puback", "pubrec", "pubrel", "pubcomp", "subscribe", "unsubscribe"]);

function hasWildcardTopic(packet: Packet): boolean {
  return packet.cmd === "publish" && /[+#]/.test(packet.topic);
}

/** The server compiles UNSUBSCRIBE filters as Java regular expressions (spec 11.12); ECMAScript's are near enough. */
function isRegularExpression(filter: string): boolean {
  try {
    return new RegExp(filter, "u") !== null;
  } catch {
    return false;
  }
}
