// A model of the server: sessions of one device, the ThingsBoard Device API, and its moods.

import mqttPacket, { type Packet } from "mqtt-packet";
import type { Ledger } from "./ledger.ts";
import type { Line } from "./network.ts";
import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";
import { Updates } from "./updates.ts";

export const TOKEN = "token-of-the-device";
/** The user name of a session that only provisions. */
const PROVISION = "provision";
const PROVISION_REQUEST = "/provision/request";
const PROVISION_RESPONSE = "/provision/response";
export const PROVISION_BODY = '{"provisionDeviceKey":"k","provisionDeviceSecret":"s"}';
const TELEMETRY = "v1/devices/me/telemetry";
const ATTRIBUTES = "v1/devices/me/attributes";
const ATTRIBUTES_REQUEST = "v1/devices/me/attributes/request/";
const ATTRIBUTES_RESPONSE = "v1/devices/me/attributes/response/";
const RPC_REQUEST = "v1/devices/me/rpc/request/";
const RPC_RESPONSE = "v1/devices/me/rpc/response/";
/** The only filters that ThingsBoard grants, compared as texts. */
const GRANTED = new Set([ATTRIBUTES, `${ATTRIBUTES_RESPONSE}+`, `${RPC_REQUEST}+`, `${RPC_RESPONSE}+`, "v2/fw/response/+/chunk/+", "v2/sw/response/+/chunk/+"]);

export interface Session {
  readonly filters: Set<string>;
  /** CONNECT came. */
  isAccepted: boolean;
  /** CONNACK with return code 0 was sent. */
  isOpen: boolean;
  /** Nothing is answered any more, and nobody says so. */
  isDeaf: boolean;
  isProvisioning: boolean;
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
  #rpcId = 0;

  constructor(
    readonly schedule: Schedule, readonly random: Random, readonly ledger: Ledger, readonly trace: (line: string) => void,
  ) {
    this.updates = new Updates(random.fork());
  }

  accept(line: Line): { onBytes(bytes: Uint8Array): void; onEnd(): void } {
    const session: Session = { filters: new Set(), isAccepted: false, isOpen: false, isDeaf: false, isProvisioning: false };
    const parser = mqttPacket.parser({ protocolVersion: 4 });
    const send = (packet: Packet): void => {
      if (!line.isClosed) line.send(mqttPacket.generate(packet));
    };
    const end = (): void => {
      if (this.session === session) this.session = null;
      line.close();
    };
    parser.on("error", (error) => {
      this.faults.push(`a packet that mqtt-packet refuses: ${error.message}`);
      end();
    });
    parser.on("packet", (packet: Packet) => this.#onPacket(packet, session, send, end));
    return {
      onBytes: (bytes) => { if (!session.isDeaf) parser.parse(Buffer.from(bytes)); },
      onEnd: () => { if (this.session === session) this.session = null; },
    };
  }

  /** From now on the server answers everything that it should. */
  calm(): void {
    this.isCalm = true;
    if (this.session?.isOpen !== true || this.session.isDeaf) this.#close?.();
  }

  /** Something that the server does by itself, now and then. */
  act(): void {
    const { random, session } = this;
    if (session === null || !session.isOpen || session.isDeaf) return;
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

  #onPacket(packet: Packet, session: Session, send: (packet: Packet) => void, end: () => void): void {
    this.trace(`server got ${packet.cmd}${"messageId" in packet && packet.messageId ? ` ${packet.messageId}` : ""}${"topic" in packet ? ` ${packet.topic}` : ""}`);
    if ((packet.cmd === "connect") === session.isAccepted) {
      this.faults.push(`${packet.cmd} out of place`);
      return end();
    }
    if (session.isProvisioning) {
      this.#provision(packet, session, send, end);
      return;
    }
    switch (packet.cmd) {
      case "connect": return this.#onConnect(packet.username, session, send, end);
      case "publish": return this.#onPublish(packet.topic, packet.payload as Buffer, packet.qos, packet.messageId ?? 0, session, send);
      case "subscribe": {
        const granted = packet.subscriptions.map(({ topic, qos }) => (GRANTED.has(topic) ? Math.min(qos, 1) : 128));
        if (!this.isCalm && this.random.percent(3)) return; // neither granted nor answered
        return this.#later(() => {
          packet.subscriptions.forEach(({ topic }, index) => { if (granted[index] !== 128) session.filters.add(topic); });
          send({ cmd: "suback", messageId: packet.messageId!, granted });
          if (packet.subscriptions.some(({ topic }) => topic === `${RPC_REQUEST}+`)) this.#askAgain(session);
        }, session);
      }
      case "unsubscribe":
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

  /** What a provisioning session knows: its two topics, PINGREQ and DISCONNECT. */
  #provision(packet: Packet, session: Session, send: (packet: Packet) => void, end: () => void): void {
    if (packet.cmd === "subscribe" && packet.subscriptions[0]?.topic === PROVISION_RESPONSE) {
      this.#later(() => send({ cmd: "suback", messageId: packet.messageId!, granted: [1] }), session);
    } else if (packet.cmd === "publish" && packet.topic === PROVISION_REQUEST) {
      if (this.ledger.isProvisioned) this.faults.push("provisions again though it has kept its credentials");
      if (packet.payload.toString() !== PROVISION_BODY) this.faults.push(`provisioning asks for ${packet.payload.toString()}`);
      if (!this.isCalm && this.random.percent(20)) return; // no reply ever
      const isFound = this.isCalm || this.random.percent(80);
      const reply = isFound ? { credentialsValue: TOKEN, credentialsType: "ACCESS_TOKEN", status: "SUCCESS" } : { errorMsg: "Provision data was not found!", status: "NOT_FOUND" };
      this.#later(() => send(this.#publishOf(PROVISION_RESPONSE, JSON.stringify(reply))), session);
    } else if (packet.cmd === "disconnect") {
      end();
    } else if (packet.cmd !== "puback" && packet.cmd !== "pingreq") {
      this.faults.push(`${packet.cmd} in a provisioning session`);
    }
  }

  #onPublish(topic: string, payload: Buffer, qos: number, messageId: number, session: Session, send: (packet: Packet) => void): void {
    const acknowledge = (): void => {
      if (qos === 0) return;
      if (!this.isCalm && this.random.percent(2)) return; // lost on the way to the queue's answer
      this.#later(() => {
        send({ cmd: "puback", messageId });
        if (!this.isCalm && this.random.percent(2)) send({ cmd: "puback", messageId });
      }, session);
    };
    const text = payload.toString("utf8");
    if (topic === TELEMETRY || topic === ATTRIBUTES) {
      this.#store(text);
      return acknowledge();
    }
    const id = Number(/\d+$/.exec(topic)?.[0]);
    if (topic.startsWith(RPC_RESPONSE)) {
      const rpc = this.ledger.rpcs.get(id);
      if (rpc !== undefined) rpc.isAnswered = true;
      if (text !== JSON.stringify({ done: id }) && text !== '{"error":"too_large"}') this.faults.push(`reply ${id} is ${text}`);
      return acknowledge();
    }
    if (topic.startsWith(ATTRIBUTES_REQUEST)) {
      acknowledge();
      const keys = JSON.parse(text) as { sharedKeys?: string };
      if (keys.sharedKeys?.startsWith("fw_title")) {
        if (!this.isCalm && this.random.percent(5)) return;
        const shared = this.updates.attributes;
        this.#later(() => send(this.#publishOf(`${ATTRIBUTES_RESPONSE}${id}`, JSON.stringify(shared === null ? {} : { shared }))), session);
        return;
      }
      const dice = this.random.between(0, 99);
      if (!this.isCalm && dice < 10) return; // the database is down: no answer ever
      const length = dice < 20 ? 2000 : 3;
      this.#later(() => send(this.#publishOf(`${ATTRIBUTES_RESPONSE}${id}`, JSON.stringify({ shared: { [keys.sharedKeys ?? "a"]: "v".repeat(length) } }))), session);
      return;
    }
    if (topic.startsWith(RPC_REQUEST)) {
      acknowledge();
      const { method } = JSON.parse(text) as { method?: string };
      if (method === undefined) this.faults.push(`client-side RPC without a method: ${text}`);
      if (!this.isCalm && this.random.percent(20)) return;
      const answer = method === "getSessionLimits" ? '{"maxPayloadSize":65536,"maxInflightMessages":100,"rateLimits":{"messages":null,"telemetryMessages":null,"telemetryDataPoints":null}}'
        : this.random.percent(20) ? '{"error":"timeout"}' : '{"t":21}';
      this.#later(() => send(this.#publishOf(`${RPC_RESPONSE}${id}`, answer)), session);
      return;
    }
    acknowledge();
    const chunk = this.updates.chunk(topic, text);
    if (chunk === null || (!this.isCalm && this.random.percent(5))) return;
    this.#later(() => send(this.#publishOf(topic.replace("request", "response"), chunk)), session);
  }

  /** Takes telemetry: every entry carries the number by which the ledger knows its message. */
  #store(text: string): void {
    try {
      const values = JSON.parse(text) as { sequence?: number; fw_state?: string; current_fw_version?: string };
      this.updates.report(values);
      const { sequence } = values;
      const message = sequence === undefined ? undefined : this.ledger.messages.get(sequence);
      if (message !== undefined) message.isStored = true;
    } catch {
      this.faults.push(`no JSON: ${text.slice(0, 80)}`);
    }
  }

  #askRpc(session: Session): void {
    if (!session.filters.has(`${RPC_REQUEST}+`)) return;
    const id = this.#rpcId++;
    this.ledger.rpcs.set(id, { id, isReplied: false, isAnswered: false, excuse: null });
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
