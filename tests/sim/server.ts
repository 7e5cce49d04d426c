// A model of the server: the sessions of one device, what it sends by itself, and its moods.

import mqttPacket, { type IPublishPacket, type Packet } from "mqtt-packet";
import { ATTRIBUTES, ATTRIBUTES_RESPONSE, receiveOfDevice, RPC_REQUEST, RPC_RESPONSE } from "./device-api.ts";
import { GATEWAY_FILTERS, type Children, type Gateway } from "./gateway.ts";
import type { Ledger } from "./ledger.ts";
import type { Line } from "./network.ts";
import { answerProvisioning, PROVISION, TOKEN } from "./provisioning.ts";
import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";
import { Updates } from "./updates.ts";

const GET_LIMITS = '{"method":"getSessionLimits"}';
/** The only filters that ThingsBoard grants, compared as texts. */
const GRANTED = new Set([ATTRIBUTES, `${ATTRIBUTES_RESPONSE}+`, `${RPC_REQUEST}+`, `${RPC_RESPONSE}+`, "v2/fw/response/+/chunk/+", "v2/sw/response/+/chunk/+", ...GATEWAY_FILTERS]);

export interface Session {
  readonly filters: Set<string>;
  /** CONNECT came. */
  isAccepted: boolean;
  /** CONNACK with return code 0 was sent. */
  isOpen: boolean;
  /** Nothing is answered any more, and nobody says so. */
  isDeaf: boolean;
  isProvisioning: boolean;
  /** Of a session of a gateway. */
  children: Children | null;
}

export class Server {
  isCalm = false;
  /** The session that lives, as far as the server knows. */
  session: Session | null = null;
  /** Bytes that no rule allows, as the server saw them from the device. */
  readonly faults: string[] = [];
  readonly updates: Updates;
  #close: (() => void) | null = null;
  #send: ((packet: Packet) => void) | null = null;
  /** The device begins without credentials. */
  provisions = false;
  /** The device is a gateway. */
  gateway: Gateway | null = null;
  #rpcId = 0;

  constructor(
    readonly schedule: Schedule, readonly random: Random, readonly ledger: Ledger, readonly trace: (line: string) => void,
  ) {
    this.updates = new Updates(random.fork());
  }

  accept(line: Line): { onBytes(bytes: Uint8Array): void; onEnd(): void } {
    const session: Session = { filters: new Set(), isAccepted: false, isOpen: false, isDeaf: false, isProvisioning: false, children: null };
    const parser = mqttPacket.parser({ protocolVersion: 4 });
    const send = (packet: Packet): void => {
      if (!line.isClosed) line.send(mqttPacket.generate(packet));
    };
    const forget = (): void => {
      if (this.session === session) this.session = null;
      if (session.children !== null) this.gateway?.end(session.children);
      session.children = null;
    };
    const end = (): void => {
      forget();
      line.close();
    };
    parser.on("error", (error) => {
      this.faults.push(`a packet that mqtt-packet refuses: ${error.message}`);
      end();
    });
    parser.on("packet", (packet: Packet) => this.#onPacket(packet, session, send, end));
    return {
      onBytes: (bytes) => { if (!session.isDeaf) parser.parse(Buffer.from(bytes)); },
      onEnd: forget,
    };
  }

  /** From now on the server answers everything that it should. */
  calm(): void {
    this.isCalm = true;
    if (this.gateway !== null) this.gateway.isCalm = true;
    if (this.session?.isOpen !== true || this.session.isDeaf) this.#close?.();
  }

  /** Something that the server does by itself, now and then. */
  act(): void {
    const { random, session } = this;
    if (session === null || !session.isOpen || session.isDeaf) return;
    if (this.gateway !== null && session.children !== null && random.percent(60)) return this.#actForChildren(this.gateway, session.children);
    const choice = random.between(0, 99);
    if (choice < 55) this.#askRpc(session);
    else if (choice < 75) this.#updateAttributes(session);
    else if (choice < 80) this.#assignPackage(session);
    else if (this.isCalm) return;
    else if (choice < 84) this.#sendRaw("more/than/was/asked/for", "x".repeat(random.between(0, 3000)));
    else if (choice < 87) this.#sendRaw(`${RPC_REQUEST}${random.between(0, 9)}`, random.pick(["", "{", "[]", '{"method":1}', '{"params":1}', "\xff"]));
    else if (choice < 90) this.#sendRaw(ATTRIBUTES, random.pick(["", "[]", '{"a":', "{}"]));
    else if (choice < 92) this.#send?.({ cmd: "puback", messageId: random.between(1, 65535) });
    else if (choice < 96) this.#close?.();
    else session.isDeaf = true;
  }

  #actForChildren(gateway: Gateway, children: Children): void {
    const downlink = this.random.percent(5) ? gateway.nonsense() : gateway.act(children);
    if (downlink !== undefined) this.#sendRaw(downlink.topic, downlink.text);
  }

  #onPacket(packet: Packet, session: Session, send: (packet: Packet) => void, end: () => void): void {
    this.trace(`server got ${packet.cmd}${"messageId" in packet && packet.messageId ? ` ${packet.messageId}` : ""}${"topic" in packet ? ` ${packet.topic}` : ""}`);
    if ((packet.cmd === "connect") === session.isAccepted) {
      this.faults.push(`${packet.cmd} out of place`);
      return end();
    }
    if (session.isProvisioning) {
      const answer = answerProvisioning(packet, this);
      if (answer === "end") end();
      else if (answer !== null) this.#later(() => send("topic" in answer && "text" in answer ? this.#publishOf(answer.topic, answer.text) : answer), session);
      return;
    }
    if (this.gateway !== null && session.isOpen && session.children === null) return; // sent before the device knew that this session has ended
    switch (packet.cmd) {
      case "connect": return this.#onConnect(packet.username, session, send, end);
      case "publish": return this.#onPublish(packet, session, send, end);
      case "subscribe": {
        if (!this.#maySend(session)) return end();
        const granted = packet.subscriptions.map(({ topic, qos }) => (GRANTED.has(topic) ? Math.min(qos, 1) : 128));
        if (!this.isCalm && this.random.percent(3)) return; // neither granted nor answered
        return this.#later(() => {
          packet.subscriptions.forEach(({ topic }, index) => { if (granted[index] !== 128) session.filters.add(topic); });
          send({ cmd: "suback", messageId: packet.messageId!, granted });
          if (packet.subscriptions.some(({ topic }) => topic === `${RPC_REQUEST}+`)) this.#askAgain(session);
        }, session);
      }
      case "unsubscribe":
        if (!this.#maySend(session)) return end();
        for (const topic of packet.unsubscriptions) session.filters.delete(topic);
        return this.#later(() => send({ cmd: "unsuback", messageId: packet.messageId!, granted: [] }), session);
      case "pingreq": return this.#later(() => send({ cmd: "pingresp" }), session);
      case "puback": return;
      case "disconnect": return end();
      default: this.faults.push(`a device never sends ${packet.cmd}`);
    }
  }

  #onConnect(userName: string | undefined, session: Session, send: (packet: Packet) => void, end: () => void): void {
    session.isAccepted = true; // a second CONNECT is out of place
    const { random } = this;
    session.isProvisioning = this.provisions && userName === PROVISION;
    if (userName !== TOKEN && !session.isProvisioning) this.faults.push("CONNECT without the token");
    if (!this.isCalm && random.percent(4)) return; // no CONNACK ever
    const refusal = this.isCalm || !random.percent(6) ? 0 : random.pick([3, 3, 3, 5]);
    // The newest session wins, the older one is closed.
    if (refusal === 0 && !session.isProvisioning) {
      this.#close?.();
      this.session = session;
      this.#close = end;
      this.#send = send;
      session.children = this.gateway?.begin() ?? null;
    }
    this.#later(() => {
      if (refusal !== 0) {
        send({ cmd: "connack", returnCode: refusal, sessionPresent: false });
        return end();
      }
      session.isOpen = true;
      send({ cmd: "connack", returnCode: 0, sessionPresent: random.percent(50) });
    }, session);
  }

  #onPublish({ topic, payload, qos, dup, messageId = 0 }: IPublishPacket, session: Session, send: (packet: Packet) => void, end: () => void): void {
    const acknowledge = (): void => {
      if (qos === 0) return;
      if (!this.isCalm && this.random.percent(2)) return this.ledger.owe(this.schedule.nowMs, session === this.session); // lost on the way to the queue's answer
      this.#later(() => {
        send({ cmd: "puback", messageId });
        if (!this.isCalm && this.random.percent(2)) send({ cmd: "puback", messageId });
      }, session);
    };
    const text = payload.toString("utf8");
    if (session.children !== null) {
      const verdict = this.gateway?.receive(session.children, topic, text, dup);
      for (const { topic, text } of session.children.downlinks.splice(0)) this.#later(() => send(this.#publishOf(topic, text)), session);
      if (verdict?.closes === true) {
        if (verdict.acknowledges && qos > 0) send({ cmd: "puback", messageId });
        return end();
      }
      if (verdict !== undefined) return acknowledge();
    }
    if (!this.#maySend(session, topic, text) || this.ledger.isPoison(text)) return end();
    acknowledge();
    if (this.gateway?.isLimiting === true && text === GET_LIMITS) {
      // The transport knows by itself, so this is in front of what it has still to do for others.
      return send({ ...this.#publishOf(topic.replace("request", "response"), this.gateway.limitsText), qos: 0 } as Packet);
    }
    const answer = receiveOfDevice(topic, text, dup, this);
    if (answer !== null) this.#later(() => send(this.#publishOf(answer.topic, answer.text)), session);
  }

  /** False when a gateway sends more for itself than it may: then nothing is acknowledged and the connection is closed. */
  #maySend({ children }: Session, topic = "", text = ""): boolean {
    return children === null || this.gateway === null || this.gateway.spend(children, topic, text);
  }

  #askRpc(session: Session): void {
    if (!session.filters.has(`${RPC_REQUEST}+`)) return;
    const id = this.#rpcId++;
    this.ledger.rpcs.set(id, { id, isReplied: false, isAnswered: false, excuse: null, answers: 0 });
    this.#sendRpc(id);
  }

  /** SUBSCRIBE to the filter makes the server send every open request once more. */
  #askAgain(session: Session): void {
    if (session !== this.session) return;
    for (const { id, isAnswered, excuse } of this.ledger.rpcs.values()) if (!isAnswered && excuse === null && this.#rpcId - id < 5) this.#sendRpc(id);
  }

  #sendRpc(id: number): void {
    const text = '{"method":"switch \\"1\\"","params":{"on":true,"list":[1,2.5e3,null]}}';
    // Padding makes some of them larger than any receive buffer.
    const padded = !this.isCalm && this.random.percent(5) ? text.replace("1,2", `"${"p".repeat(2000)}",2`) : text;
    this.#sendRaw(`${RPC_REQUEST}${id}`, padded);
  }

  #updateAttributes(session: Session): void {
    if (session.filters.has(ATTRIBUTES)) this.#sendRaw(ATTRIBUTES, this.random.percent(20) ? '{"deleted":["rate"]}' : '{"rate":30}');
  }

  #assignPackage(session: Session): void {
    if (!this.updates.assign()) return;
    if (session.filters.has(ATTRIBUTES)) this.#sendRaw(ATTRIBUTES, JSON.stringify(this.updates.attributes));
  }

  #sendRaw(topic: string, text: string | Buffer): void {
    this.#send?.(this.#publishOf(topic, text));
  }

  #publishOf(topic: string, text: string | Buffer): Packet {
    const qos = this.random.percent(70) ? 1 : 0;
    return {
      cmd: "publish", topic, payload: Buffer.from(text), qos, dup: false, retain: false, ...(qos === 1 && { messageId: this.random.between(1, 65535) }),
    };
  }

  /** Work of the server takes time, and its answers come in any order; those of a session that ended are never sent. */
  #later(action: () => void, session: Session): void {
    const slow = !this.isCalm && this.random.percent(3);
    this.schedule.after(slow ? this.random.between(1000, 15_000) : this.random.between(0, 150), () => {
      if (!session.isDeaf) action();
    });
  }
}
