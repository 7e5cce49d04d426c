// One client connection from CONNECT to its end: ThingsBoard's rules towards the client, a plain MQTT 3.1.1 conversation with aedes behind.

import type { Socket } from "node:net";
import type { Client } from "aedes";
import mqttPacket, { type IConnectPacket, type IPublishPacket, type ISubscribePacket, type IUnsubscribePacket } from "mqtt-packet";
import type { Packet, Parser } from "mqtt-packet";
import { Acknowledger } from "./acknowledger.ts";
import { type BrokerPeer, BrokerStream, type PublishDecision } from "./broker.ts";
import { type ClientCertificate, clientCertificate } from "./clientCertificate.ts";
import { Courier } from "./courier.ts";
import type { Device } from "./device.ts";
import type { ServerEvents } from "./events.ts";
import type { Faults } from "./faults.ts";
import { brokerSubscriptions, grant, isRegularExpression, subackCodes, unsubscribeAll } from "./granting.ts";
import { isUndecodable, type LoginVerdict, type Refusal } from "./login.ts";
import type { Outcome } from "./outcome.ts";
import type { ProvisioningSession } from "./provisioningSession.ts";
import { actOn, type PublishAction } from "./publishRules.ts";
import { reason } from "./reasons.ts";
import type { Downlink, Link, Session } from "./session.ts";
import { filterMeaning, isUsualFilter } from "./topics.ts";
import { Wire, type WireListener } from "./wire.ts";

/** What a login opens. */
export type Conversation = Session | ProvisioningSession;

/** What a door needs of the server behind it. */
export interface DoorHost {
  readonly faults: Faults;
  readonly events: ServerEvents;
  attach(stream: BrokerStream): Client;
  login(connect: IConnectPacket, certificate: ClientCertificate | null): LoginVerdict;
  /** Without a device the login provisions. */
  openSession(device: Device | null, clientId: string, link: Link): Conversation;
  closeSession(session: Conversation, cause: string): void;
  receive(session: Conversation, topic: string, payload: Buffer, qos: 0 | 1 | 2): Outcome;
}

type Phase = "awaitingConnect" | "loggingIn" | "open" | "silent" | "closing";

interface Arrival {
  readonly packet: Packet;
  /** Sent before CONNACK: an exception is swallowed then (spec 11.13). */
  readonly isEarly: boolean;
}

/** `transport.mqtt.msg_queue_size_per_device_limit` (spec 1.1). */
const earlyPacketsMax = 100;
/** Longest topic aedes takes, in levels; ThingsBoard calls a deeper or an empty one unknown (R5). */
const brokerTopicLevelsMax = 100;

export class Door implements Link, BrokerPeer, WireListener {
  readonly remote: string;
  readonly #wire: Wire;
  readonly #host: DoorHost;
  readonly #name: string;
  readonly #certificate: ClientCertificate | null;
  readonly #acknowledger: Acknowledger;
  readonly #courier: Courier;
  #phase: Phase = "awaitingConnect";
  #connect: IConnectPacket | null = null;
  #refusal: Refusal | null = null;
  #session: Conversation | null = null;
  #stream: BrokerStream | null = null;
  #client: Client | null = null;
  #brokerParser: Parser = mqttPacket.parser();
  /** Downlinks given to the broker, in the order their packets will come back. */
  #downlinks: { downlink: Downlink; qos: 0 | 1 }[] = [];
  #inbox: Arrival[] = [];
  /** The packet the broker is working on; the next one waits, so all are handled in arrival order. */
  #current: Arrival | null = null;
  /** Set by an exception before CONNACK: the inbox rests until the next packet arrives (spec 11.13). */
  #isStalled = false;
  /** How the connection ends once the inbox is empty. */
  #ending: (() => void) | null = null;
  #pubackReason: number = reason.success;
  #pubackCount = 1;
  #afterAcknowledge: (() => void) | null = null;
  #isRefusingSuback = false;
  #loginCount = 0;

  /** `tcp`: the socket beneath one of TLS, whose handshake is done. */
  constructor(socket: Socket, host: DoorHost, name: string, tcp = socket) {
    this.#host = host;
    this.#name = name;
    this.#certificate = clientCertificate(socket);
    this.#wire = new Wire(socket, this, tcp);
    this.remote = this.#wire.remote;
    this.#courier = new Courier(host.faults, (downlink, qos) => this.#publish(downlink, qos));
    this.#acknowledger = new Acknowledger(host.faults, (puback) => this.#wire.write({ cmd: "puback", ...puback }));
  }

  get version(): 3 | 4 | 5 {
    return this.#wire.version;
  }

  // From the client

  onPacket(packet: Packet): void {
    if (packet.cmd === "connect" && this.#phase === "awaitingConnect") return this.#login(packet);
    const isEarly = this.#phase !== "open";
    this.#inbox.push({ packet, isEarly });
    if (isEarly && this.#inbox.length > earlyPacketsMax) {
      return this.close(reason.quotaExceeded, `more than ${earlyPacketsMax} packets before CONNACK`);
    }
    this.#isStalled = false;
    this.#drain();
  }

  onMalformed(cause: string): void {
    this.#endAfterInbox(() => this.close(reason.malformedPacket, cause));
  }

  onGone(cause: string): void {
    this.#endAfterInbox(() => this.#end(cause));
  }

  /** What came before the end still counts: a QoS 0 message followed by a close is stored. */
  #endAfterInbox(end: () => void): void {
    const hasWork = this.#current !== null || (this.#inbox.length > 0 && !this.#isStalled);
    if (this.#phase === "loggingIn" || (this.#phase === "open" && hasWork)) this.#ending ??= end;
    else end();
  }

  onReadDone(): void {
    // Reading goes on once the inbox is empty; before CONNACK it has its own bound, and a stalled one needs a packet.
    if (this.#phase === "open" && this.#inbox.length > 0 && !this.#isStalled) this.#wire.pause();
  }

  #login(connect: IConnectPacket): void {
    if (isUndecodable(connect)) return this.#end("undecodable CONNECT");
    this.#detach("logged in again");
    this.#connect = connect;
    this.#wire.version = connect.protocolVersion ?? 4;
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
    this.#toBroker({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clientId: `${this.#name}-${++this.#loginCount}`, clean: true, keepalive: 0 });
  }

  /** Handles what has arrived, giving the broker one packet at a time. */
  #drain(): void {
    while (this.#phase === "open" && this.#current === null) {
      // Where the end is already known, no packet comes that would move the inbox again.
      if (this.#isStalled) return this.#ending?.();
      const arrival = this.#inbox.shift();
      if (arrival === undefined) return this.#ending === null ? this.#wire.resume() : this.#ending();
      this.#handle(arrival);
    }
  }

  #handle(arrival: Arrival): void {
    const { packet } = arrival;
    const session = this.#session!;
    switch (packet.cmd) {
      case "connect":
        return this.#login(packet);
      case "publish":
        return this.#handlePublish(arrival, packet);
      case "subscribe":
        session.touch();
        return this.#handleSubscribe(arrival, packet);
      case "unsubscribe":
        session.touch();
        return this.#handleUnsubscribe(arrival, packet);
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

  #handlePublish(arrival: Arrival, packet: IPublishPacket): void {
    const levels = packet.topic.split("/").length;
    const topic = packet.topic === "" || levels > brokerTopicLevelsMax ? "unknown" : packet.topic;
    this.#current = arrival;
    // QoS 2 is answered with PUBACK; RETAIN and DUP are ignored (spec 1.4).
    this.#toBroker({ ...packet, topic, qos: packet.qos === 0 ? 0 : 1, retain: false, dup: false });
  }

  #handleSubscribe(arrival: Arrival, packet: ISubscribePacket): void {
    this.#current = arrival;
    this.#isRefusingSuback = this.#host.faults.take("refuseSuback");
    const subscriptions = brokerSubscriptions(grant(packet.subscriptions, this.#session!, this.#isRefusingSuback));
    if (subscriptions.length === 0) return this.#subscribed(packet);
    this.#toBroker({ cmd: "subscribe", messageId: packet.messageId!, subscriptions });
  }

  #handleUnsubscribe(arrival: Arrival, packet: IUnsubscribePacket): void {
    if (!packet.unsubscriptions.every(isRegularExpression)) {
      if (arrival.isEarly) return this.#stall();
      return this.close(reason.serverShuttingDown, "an UNSUBSCRIBE filter is no regular expression");
    }
    this.#current = arrival;
    const held = packet.unsubscriptions.filter((filter) => isUsualFilter(filter) && this.#session!.isSubscribed(filter));
    if (held.length === 0) return this.#unsubscribed(packet);
    this.#toBroker({ cmd: "unsubscribe", messageId: packet.messageId!, unsubscriptions: held });
  }

  #stall(): void {
    this.#isStalled = true;
    this.#wire.resume();
  }

  // The broker's questions and answers

  authenticate(): boolean {
    const connect = this.#connect!;
    const verdict = this.#host.login(connect, this.#certificate);
    if ("refusal" in verdict) {
      this.#refusal = verdict.refusal;
      return false;
    }
    this.#session = this.#host.openSession(verdict.device, connect.clientId, this);
    return true;
  }

  decidePublish(topic: string, payload: Buffer): PublishDecision {
    const { packet, isEarly } = this.#current!;
    const session = this.#session!;
    const qos = packet.cmd === "publish" ? packet.qos : 0;
    const outcome = this.#receive(session, topic, payload, qos);
    const action = actOn(outcome, { version: this.#wire.version, qos, isEarly, acknowledgesBadPayload: session.acknowledgesBadPayload });
    if (outcome.kind === "accepted" && outcome.keepsAlive) session.touch();
    if (outcome.kind !== "accepted") this.#reportRefused("publish", topic, "reason" in outcome ? outcome.reason : outcome.kind);
    if (action.kind === "close") {
      this.#closeAs(action, session);
      return "close";
    }
    if (action.kind === "stall") this.#stall();
    if (action.kind === "acknowledge") this.#pubackReason = action.reasonCode;
    this.#pubackCount = outcome.kind === "accepted" ? (outcome.pubackCount ?? 1) : 1;
    const decision = action.kind === "acknowledge" ? "acknowledge" : "silent";
    this.#afterAcknowledge = outcome.kind === "accepted" ? (outcome.afterAcknowledge ?? null) : null;
    // A packet with a PUBACK to come is done when that was written.
    if (decision === "silent" || qos === 0) this.#done();
    return decision;
  }

  #receive(session: Conversation, topic: string, payload: Buffer, qos: 0 | 1 | 2): Outcome {
    if (this.#host.faults.take("dropPublish")) return { kind: "unanswered" };
    return this.#host.receive(session, topic, payload, qos);
  }

  /** Past the broker: this connection ends here, and what is said before must be out by then. */
  #closeAs({ reasonCode, cause, pubackReason, message }: Extract<PublishAction, { kind: "close" }>, session: Conversation): void {
    const packet = this.#current?.packet;
    if (pubackReason !== undefined && packet?.cmd === "publish") {
      this.#acknowledger.send({ messageId: packet.messageId!, reasonCode: pubackReason });
    }
    if (message !== undefined) this.#writeDownlink(message, session.qosFor(message.topic));
    this.close(reasonCode, cause);
  }

  fromBroker(bytes: Buffer): void {
    if (this.#phase !== "closing") this.#brokerParser.parse(bytes);
  }

  whenWritable(resume: () => void): void {
    this.#wire.whenWritable(resume);
  }

  #fromBrokerPacket(packet: Packet): void {
    const current = this.#current?.packet;
    if (packet.cmd === "connack") {
      this.#loggedIn();
    } else if (packet.cmd === "publish") {
      const next = this.#downlinks.shift();
      if (next !== undefined) this.#writeDownlink(next.downlink, next.qos);
    } else if (packet.cmd === "puback") {
      const puback = { messageId: packet.messageId!, reasonCode: this.#pubackReason };
      for (let count = this.#pubackCount; count > 0; count--) this.#acknowledger.send(puback);
      this.#done();
    } else if (packet.cmd === "suback" && current?.cmd === "subscribe") {
      this.#subscribed(current);
    } else if (packet.cmd === "unsuback" && current?.cmd === "unsubscribe") {
      this.#unsubscribed(current);
    } else if (packet.cmd === "pingresp") {
      this.#wire.write({ cmd: "pingresp" });
      this.#done();
    }
  }

  /** Session Present is the opposite of the clean flag, on refusals too (spec 1.3). */
  #loggedIn(): void {
    const connect = this.#connect!;
    const refusal = this.#refusal;
    const returnCode = refusal?.returnCode ?? 0;
    const reasonCode = refusal?.reasonCode ?? reason.success;
    this.#wire.write({ cmd: "connack", sessionPresent: connect.clean === false, returnCode, reasonCode });
    if (refusal !== null) {
      this.#reportRefused("connect", connect.clientId, refusal.cause);
      return this.close(refusal.disconnectCode ?? refusal.reasonCode, refusal.cause);
    }
    const { device, clientId } = this.#session!;
    if (device === null) return;
    this.#host.events.emit("connected", { device, clientId, protocolVersion: this.#wire.version, remote: this.remote });
  }

  #subscribed({ messageId, subscriptions }: ISubscribePacket): void {
    const session = this.#session!;
    const grants = grant(subscriptions, session, this.#isRefusingSuback);
    if (grants.length === 0) this.#wire.writeEmptyAck("suback", messageId!);
    else this.#wire.write({ cmd: "suback", messageId: messageId!, granted: subackCodes(grants, this.#wire.version) });
    for (const { filter, qos } of grants) {
      if (qos === null) {
        this.#reportRefused("subscribe", filter, "filter not allowed");
        continue;
      }
      session.subscribe(filter, qos);
      if (session.device !== null) this.#host.events.emit("subscribed", { device: session.device, filter, qos });
    }
    const asksForRpc = grants.some(({ filter, qos }) => qos !== null && filterMeaning(filter)?.kind === "rpc");
    if (asksForRpc && session.isSubscribedToRpc) session.device?.rpcs.resendPending();
    this.#done();
  }

  #unsubscribed({ messageId, unsubscriptions }: IUnsubscribePacket): void {
    const session = this.#session!;
    if (unsubscriptions.length === 0) this.#wire.writeEmptyAck("unsuback", messageId!);
    else this.#wire.write({ cmd: "unsuback", messageId: messageId!, granted: unsubscribeAll(unsubscriptions, session) });
    this.#done();
  }

  #done(): void {
    this.#current = null;
    const afterAcknowledge = this.#afterAcknowledge;
    this.#afterAcknowledge = null;
    afterAcknowledge?.();
    // Not at once: this may run inside the broker's parser, which must finish its packet before it is given another.
    // And not before the client reads: what is answered here directly would otherwise pile up.
    process.nextTick(() => this.#wire.whenWritable(() => this.#drain()));
  }

  #reportRefused(what: "connect" | "subscribe" | "publish", detail: string, why: string): void {
    this.#host.events.emit("refused", { device: this.#session?.device ?? null, what, detail, reason: why });
  }

  // To the client

  deliver(downlink: Downlink, qos: 0 | 1): void {
    this.#courier.deliver(downlink, qos);
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
    this.#wire.write({ cmd: "publish", topic, payload, qos, messageId, retain: false, dup: false });
    downlink.onWritten?.(qos);
    this.#acknowledger.replyWritten();
  }

  #toBroker(packet: Packet): void {
    this.#stream?.push(mqttPacket.generate(packet));
  }

  // The end

  close(reasonCode: number | null, cause: string): void {
    if (reasonCode !== null && this.#phase !== "closing" && this.#wire.version === 5) this.#wire.writeDisconnect(reasonCode);
    this.#end(cause);
  }

  abort(cause: string): void {
    this.#leave(cause);
    this.#wire.abort();
  }

  fallSilent(): void {
    if (this.#phase === "closing") return;
    this.#phase = "silent";
    this.#wire.fallSilent();
  }

  #end(cause: string): void {
    if (this.#phase === "closing") return;
    this.#leave(cause);
    this.#wire.end();
  }

  #leave(cause: string): void {
    this.#phase = "closing";
    this.#inbox = [];
    this.#detach(cause);
  }

  /** Leaves the broker and the session, as the end or a second CONNECT does. */
  #detach(cause: string): void {
    const session = this.#session;
    const stream = this.#stream;
    this.#session = null;
    this.#stream = null;
    this.#client = null;
    this.#refusal = null;
    this.#current = null;
    this.#afterAcknowledge = null;
    this.#downlinks = [];
    this.#acknowledger.close();
    this.#courier.close();
    stream?.destroy();
    if (session !== null) this.#host.closeSession(session, cause);
  }
}
