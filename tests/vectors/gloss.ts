// Translates packets between bytes and the readable form of the vectors, by mqtt-packet and never by our own encoder.

import mqttPacket, { type Packet } from "mqtt-packet";
import { cutWords, hexOf, showBytes, type Word } from "./words.ts";

/** A conversation is played once for each cut, with the same packets. */
const encoded = new Map<string, Buffer>();
const decoded = new Map<string, string>();

function remembered<Value>(known: Map<string, Value>, key: string, make: () => Value): Value {
  let value = known.get(key);
  if (value === undefined) known.set(key, value = make());
  return value;
}

/** The bytes of a packet as a vector writes it: `PUBACK id 7`, or `hex 40 02 00 07` for what mqtt-packet would not write. */
export function encodeGloss(gloss: string): Buffer {
  if (/^hex /.test(gloss)) return Buffer.from(gloss.slice(4).replaceAll(" ", ""), "hex");
  return remembered(encoded, gloss, () => {
    const [command, ...rest] = cutWords(gloss);
    return mqttPacket.generate(packetOf(command?.raw ?? "", new Fields(rest, gloss)));
  });
}

function packetOf(command: string, fields: Fields): Packet {
  switch (command) {
    case "CONNECT": return connect(fields);
    case "CONNACK": return { cmd: "connack", returnCode: fields.number("code"), sessionPresent: fields.flag("session_present") };
    case "PUBLISH": return {
      cmd: "publish", topic: fields.text("topic"), payload: fields.bytes("payload"), qos: fields.number("qos", 0) as 0 | 1 | 2,
      messageId: fields.number("id", 0), dup: fields.flag("dup"), retain: fields.flag("retain"),
    };
    case "PUBACK": return { cmd: "puback", messageId: fields.number("id") };
    case "PUBREC": return { cmd: "pubrec", messageId: fields.number("id") };
    case "PUBREL": return { cmd: "pubrel", messageId: fields.number("id") };
    case "PUBCOMP": return { cmd: "pubcomp", messageId: fields.number("id") };
    case "SUBSCRIBE": return { cmd: "subscribe", messageId: fields.number("id"), subscriptions: [{ topic: fields.text("filter"), qos: fields.number("qos") as 0 | 1 }] };
    case "SUBACK": return { cmd: "suback", messageId: fields.number("id"), granted: [fields.number("code")] };
    case "UNSUBSCRIBE": return { cmd: "unsubscribe", messageId: fields.number("id"), unsubscriptions: [fields.text("filter")] };
    case "UNSUBACK": return { cmd: "unsuback", messageId: fields.number("id"), granted: [] } as Packet;
    case "PINGREQ": return { cmd: "pingreq" };
    case "PINGRESP": return { cmd: "pingresp" };
    case "DISCONNECT": return { cmd: "disconnect" };
  }
  throw new Error(`no such packet: ${command}`);
}

function connect(fields: Fields): Packet {
  return {
    cmd: "connect", protocolId: "MQTT", protocolVersion: 4,
    clientId: fields.text("client"), clean: fields.flag("clean"), keepalive: fields.number("keep_alive"),
    ...(fields.has("user") ? { username: fields.text("user") } : {}),
    ...(fields.has("password") ? { password: fields.bytes("password") } : {}),
    ...(fields.has("will_topic")
      ? { will: { topic: fields.text("will_topic"), payload: fields.bytes("will_payload"), qos: fields.number("will_qos", 0) as 0 | 1, retain: fields.flag("will_retain") } }
      : {}),
  };
}

/** The readable form of one whole packet; hex where mqtt-packet cannot read it. */
export function decodeGloss(bytes: Uint8Array): string {
  return remembered(decoded, Buffer.from(bytes).toString("latin1"), () => glossOf(bytes));
}

function glossOf(bytes: Uint8Array): string {
  let gloss: string | undefined;
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  parser.on("packet", (packet) => (gloss = show(packet)));
  parser.on("error", () => (gloss = undefined));
  parser.parse(Buffer.from(bytes));
  return gloss !== undefined && encodesTo(gloss, bytes) ? gloss : `hex ${hexOf(bytes)}`;
}

/** mqtt-packet forgives some bytes: a gloss that would not give them back is none. */
function encodesTo(gloss: string, bytes: Uint8Array): boolean {
  try {
    return encodeGloss(gloss).equals(Buffer.from(bytes));
  } catch {
    return false;
  }
}

function show(packet: Packet): string {
  const quote = JSON.stringify;
  const id = `id ${packet.messageId}`;
  switch (packet.cmd) {
    case "connect": {
      const will = packet.will;
      return ["CONNECT client", quote(packet.clientId), packet.clean ? "clean" : "", `keep_alive ${packet.keepalive}`,
        packet.username !== undefined ? `user ${quote(packet.username)}` : "",
        packet.password !== undefined ? `password ${showBytes(packet.password as Buffer)}` : "",
        will ? `will_topic ${quote(will.topic)} will_payload ${showBytes(Buffer.from(will.payload))} will_qos ${will.qos}` : "",
        will?.retain ? "will_retain" : ""].filter(Boolean).join(" ");
    }
    case "connack": return `CONNACK code ${packet.returnCode}${packet.sessionPresent ? " session_present" : ""}`;
    case "publish": return [`PUBLISH topic ${quote(packet.topic)} payload ${showBytes(Buffer.from(packet.payload as Buffer))}`,
      packet.qos ? `qos ${packet.qos} ${id}` : "", packet.dup ? "dup" : "", packet.retain ? "retain" : ""].filter(Boolean).join(" ");
    case "subscribe": return `SUBSCRIBE ${id} filter ${quote(packet.subscriptions[0]!.topic)} qos ${packet.subscriptions[0]!.qos}`;
    case "suback": return `SUBACK ${id} code ${(packet.granted as number[])[0]}`;
    case "unsubscribe": return `UNSUBSCRIBE ${id} filter ${quote(packet.unsubscriptions[0]!)}`;
    case "puback": case "pubrec": case "pubrel": case "pubcomp": case "unsuback": return `${packet.cmd.toUpperCase()} ${id}`;
  }
  return packet.cmd.toUpperCase();
}

/** Length of the packet that begins the bytes; 0 while it is not whole. Reads the remaining length of section 2.2.3. */
export function packetLength(bytes: Uint8Array): number {
  let remaining = 0;
  for (let at = 1; at < bytes.length && at <= 4; at++) {
    remaining += (bytes[at]! & 0x7f) * 128 ** (at - 1);
    if (bytes[at]! < 0x80) return bytes.length >= at + 1 + remaining ? at + 1 + remaining : 0;
  }
  return 0;
}

/** Names with values and names alone, as they stand behind the packet's name. */
class Fields {
  private readonly values = new Map<string, Word | undefined>();

  constructor(words: Word[], private readonly gloss: string) {
    const flags = ["clean", "session_present", "dup", "retain", "will_retain"];
    for (let at = 0; at < words.length; at++) {
      const name = words[at]!.raw;
      if (flags.includes(name)) this.values.set(name, undefined);
      else this.values.set(name, words[++at]);
    }
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  flag(name: string): boolean {
    return this.values.has(name);
  }

  bytes(name: string): Buffer {
    const word = this.values.get(name);
    if (!word) throw new Error(`${name} is missing in: ${this.gloss}`);
    return word.value;
  }

  text(name: string): string {
    return this.bytes(name).toString("utf8");
  }

  number(name: string, absent?: number): number {
    if (!this.values.has(name) && absent !== undefined) return absent;
    const number = Number(this.text(name));
    if (!Number.isInteger(number)) throw new Error(`${name} is no number in: ${this.gloss}`);
    return number;
  }
}
