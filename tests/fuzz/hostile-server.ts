// A server of which nothing can be relied on: mostly it answers as ThingsBoard does, now and then with whatever comes to its mind.

import mqttPacket, { type IPublishPacket, type Packet, type Parser } from "mqtt-packet";
import type { Random } from "../sim/random.ts";

/** Topics that a client may know, with payloads that may or may not belong to them. */
const TOPICS = [
  "v1/devices/me/rpc/request/1", "v1/devices/me/rpc/request/0", "v1/devices/me/rpc/request/2147483647", "v1/devices/me/rpc/request/2147483648", "v1/devices/me/rpc/request/x",
  "v1/devices/me/attributes", "v1/devices/me/attributes/response/1", "v1/devices/me/rpc/response/0", "v1/devices/me/rpc/response/1",
  "v1/gateway/rpc", "v1/gateway/attributes", "v1/gateway/attributes/response", "v1/gateway/disconnect", "/provision/response",
  "v2/fw/response/1/chunk/0", "v2/fw/error", "v2/sw/response/9/chunk/3", "a/b", "é", "v1/devices/me/rpc/request/99999999999999999999",
];
const PACKAGE = '"fw_title":"t","fw_version":"2","fw_size":600,"fw_checksum":"ab","fw_checksum_algorithm":"MD5"';
const PAYLOADS = [
  '{"method":"setLed","params":{"on":true}}', '{"method":"a","params":"\\u00e9\\"x"}', '{"params":1,"method":"b"}', '{"method":7}', "{}", "[]", '{"error":"x"}', `{"shared":{${PACKAGE}}}`,
  `{${PACKAGE}}`, '{"deleted":["a"]}', '{"a":[[[1,{"b":null}]]]}', '{"device":"A","data":{"id":1,"method":"m","params":{}}}', '{"device":"A","data":{"x":1}}', '{"id":1,"device":"A","value":{"x":1}}',
  '{"device":"B","reason":3}', '{"provisionDeviceStatus":"SUCCESS","credentialsType":"ACCESS_TOKEN","credentialsValue":"T"}', '{"provisionDeviceStatus":"NOT_FOUND","errorMsg":"no"}',
  '{"maxPayloadSize":300,"maxInflightMessages":100,"rateLimits":{"messages":"10:1","telemetryMessages":null,"telemetryDataPoints":"5:1,20:60"},"gatewayRateLimits":{"messages":"5:1"}}',
  '"é"', "\0", '{"a":"\\u00', "[".repeat(40), "x".repeat(700), "",
];
/** What a real server says by itself. */
const DOWNLINKS = [
  ["v1/devices/me/rpc/request/1", '{"method":"setLed","params":{"on":true}}'], ["v1/devices/me/rpc/request/2147483647", '{"params":1,"method":"b"}'],
  ["v1/devices/me/attributes", '{"a":1}'], ["v1/devices/me/attributes", '{"deleted":["a"]}'], ["v1/devices/me/attributes", `{${PACKAGE}}`],
  ["v1/gateway/rpc", '{"device":"A","data":{"id":1,"method":"m","params":{}}}'], ["v1/gateway/attributes", '{"device":"A","data":{"x":1}}'], ["v1/gateway/disconnect", '{"device":"B","reason":3}'], ["a/b", "x".repeat(700)],
] as const;
const REQUEST = /^v1\/devices\/me\/(attributes|rpc)\/request\/(\d+)$/;
const CHUNK_REQUEST = /^(v2\/[fs]w)\/request\/(\d+)\/chunk\/(\d+)$/;

export class HostileServer {
  private readonly random: Random;
  /** What is said of packets that no client may send. */
  private readonly onFault: (text: string) => void;
  private parser: Parser;
  private heard: Packet[] = [];

  constructor(random: Random, onFault: (text: string) => void) {
    this.random = random;
    this.onFault = onFault;
    this.parser = this.listen();
  }

  /** A connection begins; of the one before nothing more is heard. */
  accept(): void {
    this.heard = [];
    this.parser = this.listen();
  }

  /** Bytes of the client: the packets that they complete. */
  hear(bytes: Uint8Array): readonly Packet[] {
    this.heard = [];
    this.parser.parse(Buffer.from(bytes));
    return this.heard;
  }

  /** What a server that can be relied on answers to a packet, if it answers. */
  answer(packet: Packet): Buffer[] {
    switch (packet.cmd) {
      case "connect": return [mqttPacket.generate({ cmd: "connack", returnCode: 0, sessionPresent: false })];
      case "subscribe": return [mqttPacket.generate({ cmd: "suback", messageId: packet.messageId!, granted: [1] })];
      case "unsubscribe": return [mqttPacket.generate({ cmd: "unsuback", messageId: packet.messageId!, granted: [] } as Packet)];
      case "pingreq": return [mqttPacket.generate({ cmd: "pingresp" })];
      case "publish": return [...(packet.qos === 1 ? [mqttPacket.generate({ cmd: "puback", messageId: packet.messageId! })] : []), ...this.reply(packet)];
      default: return [];
    }
  }

  /** Something that nobody asked for. */
  say(): Buffer {
    const { random } = this;
    const [topic, payload] = random.percent(60) ? random.pick(DOWNLINKS) : [random.pick(TOPICS), random.pick(PAYLOADS)];
    const packet = random.percent(90) ? this.downlink(topic, Buffer.from(payload)) : random.percent(70) ? mqttPacket.generate(this.acknowledgement()) : this.noise(random.between(1, 20));
    return random.percent(10) ? this.spoil(packet) : packet;
  }

  /** The same packet with a byte changed, or without its end. */
  spoil(packet: Buffer): Buffer {
    const { random } = this;
    if (random.percent(20)) return packet.subarray(0, random.between(1, packet.length));
    const spoilt = Buffer.from(packet);
    spoilt[random.between(0, spoilt.length - 1)] = random.between(0, 255);
    return spoilt;
  }

  private listen(): Parser {
    const parser = mqttPacket.parser({ protocolVersion: 4 });
    parser.on("packet", (packet) => this.heard.push(packet));
    parser.on("error", (error) => this.onFault(`the client sent what mqtt-packet refuses: ${error.message}`));
    return parser;
  }

  /** The message that a request is answered by. */
  private reply({ topic, payload }: IPublishPacket): Buffer[] {
    const { random } = this;
    const request = REQUEST.exec(topic);
    if (request !== null) {
      const payload = request[1] === "attributes" && random.percent(70) ? `{"shared":{${PACKAGE}}}` : random.pick(PAYLOADS);
      return [this.downlink(`v1/devices/me/${request[1]}/response/${request[2]}`, Buffer.from(payload))];
    }
    const chunk = CHUNK_REQUEST.exec(topic);
    if (chunk === null) return [];
    const size = random.percent(90) ? Math.max(0, Math.min(Number(payload.toString()), 600 - Number(chunk[3]) * Number(payload.toString()))) : random.between(0, 700);
    return [this.downlink(`${chunk[1]}/response/${chunk[2]}/chunk/${chunk[3]}`, Buffer.alloc(size, 0x5a))];
  }

  private downlink(topic: string, payload: Buffer): Buffer {
    return mqttPacket.generate({
      cmd: "publish", topic, payload, qos: this.random.pick([0, 1]), messageId: this.random.between(1, 65535), dup: false, retain: this.random.percent(5),
    });
  }

  private acknowledgement(): Packet {
    const { random } = this;
    switch (random.between(0, 4)) {
      case 0: return { cmd: "puback", messageId: random.between(1, 6) };
      case 1: return { cmd: "suback", messageId: 0x8000 + random.between(0, 5), granted: [random.pick([0, 1, 128])] };
      case 2: return { cmd: "unsuback", messageId: 0x8000 + random.between(0, 5), granted: [] } as Packet;
      case 3: return { cmd: "pingresp" };
      default: return { cmd: "connack", returnCode: random.between(0, 5), sessionPresent: random.percent(20) };
    }
  }

  private noise(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.random.between(0, 255)));
  }
}
