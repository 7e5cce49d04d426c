// An application that calls every export at any time, with arguments that fit, that nearly fit, or that are just numbers.

import type { Random } from "../sim/random.ts";
import type { Argument } from "../vectors/device.ts";
import { packJson, packMember } from "../vectors/record.ts";

export interface Call {
  readonly name: string;
  readonly args: Argument[];
}

/** What stands in an argument's place: a message record, a text in the staging area, a number of these, or any that fits the call. */
type Place = "record" | "topic" | "filter" | "payload" | "document" | "path" | "options" | "time" | "flag" | "id" | "kind" | "qos";

const MINIMAL: Readonly<Record<string, readonly Place[]>> = {
  start: [], event_release: ["flag"], deadline_ms: [], wants: [], features: [], records: [],
  send_telemetry: ["record", "options"], send_attributes: ["record", "options"], send_rpc_reply: ["id", "record", "options"],
};
const DEVICE: typeof MINIMAL = {
  publish: ["topic", "payload", "options"], subscribe: ["filter", "qos"], unsubscribe: ["filter"], request_attributes: ["record", "time"], request_rpc: ["record", "time"],
  forget_credentials: [], claim: ["record", "options"], ota_start: ["kind"], ota_apply: ["kind", "flag"], ota_stop: ["kind"], json_find: ["document", "path"],
};
const GATEWAY: typeof MINIMAL = {
  gateway_connect: ["record", "options"], gateway_disconnect: ["record", "options"], gateway_telemetry: ["record", "options"], gateway_attributes: ["record", "options"],
  gateway_rpc_reply: ["record", "options"], gateway_claim: ["record", "options"], gateway_request_attributes: ["record", "time"],
};
/** Exports that must take any number. What json_find reads is the host's to name, so it is not among them. */
const NUMBERS_FOR: Readonly<Record<Place, number>> = { record: 1, topic: 2, filter: 2, payload: 2, document: 2, path: 2, options: 1, time: 1, flag: 1, id: 1, kind: 1, qos: 1 };
const NUMBERS = [0, 1, -1, 3, 4, 64, 256, 4096, 40960, 65535, 65536, 0x7fffffff, -0x80000000];

const DOCUMENTS = [
  '{"a":1,"b":"x","c":[1,2],"d":{"e":null}}', '{"ts":1,"values":{"a":1.5}}', '[{"a":1}]', '{"device":"A","type":"t"}', '{"device":"B"}', '{"A":[{"ts":1,"values":{"x":1}}]}', '{"A":{"x":1}}',
  '{"method":"m","params":{"x":1}}', '{"clientKeys":"a,b","sharedKeys":"c"}', '{"id":0,"device":"A","client":true,"keys":["x"]}', "5", "[]", "{}", '{"secretKey":"s","durationMs":5}', '{"device":"A","id":1,"data":{"ok":true}}',
];
const TEXTS = ['{"a":1}', '"é"', "[1,2", "nul", "", "a\0", "1e400", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["];
const FILTERS = ["a/b", "a/+", "#", "a#", "", "v1/devices/me/rpc/request/+", "x/y/z", "v2/fw/response/+/chunk/+"];
const TOPICS = ["a/b", "é", "", "#", "a/b/c/d/e/f"];

/** The exports of a profile that an application calls. */
export function verbsOf(profile: string): readonly (readonly [string, readonly Place[]])[] {
  return Object.entries({ ...MINIMAL, ...(profile === "minimal" ? {} : DEVICE), ...(profile === "gateway" ? GATEWAY : {}) });
}

export class CarelessApplication {
  private readonly random: Random;
  private readonly verbs: ReturnType<typeof verbsOf>;

  constructor(random: Random, profile: string) {
    this.random = random;
    this.verbs = verbsOf(profile);
  }

  call(): Call {
    const { random } = this;
    if (random.percent(3)) return { name: random.pick(["stop", "disconnect"]), args: [] };
    const [name, places] = random.pick(this.verbs);
    const isWild = random.percent(20) && name !== "json_find";
    return { name, args: places.flatMap((place) => (isWild ? this.anything(NUMBERS_FOR[place]) : [this.fitting(place)])) };
  }

  private anything(count: number): Argument[] {
    return Array.from({ length: count }, () => (this.random.percent(70) ? this.random.pick(NUMBERS) : this.random.u32() | 0));
  }

  private fitting(place: Place): Argument {
    const { random } = this;
    switch (place) {
      case "record": return { bytes: this.record(), as: "length" };
      case "topic": return { bytes: Buffer.from(random.pick(TOPICS)), as: "span" };
      case "filter": return { bytes: Buffer.from(random.pick(FILTERS)), as: "span" };
      case "payload": return { bytes: Buffer.alloc(random.pick([0, 1, 10, 40])), as: "span" };
      case "document": return { bytes: Buffer.from(random.pick([...DOCUMENTS, ...TEXTS])), as: "span" };
      case "path": return { bytes: Buffer.from(random.pick(["", "a", "c.1", "d.e", ".", "0.a", "99999999999"])), as: "span" };
      case "options": return 0;
      case "time": return random.pick([0, 1, 5000, -1, 0x7fffffff]);
      case "flag": return random.between(0, 1);
      case "id": return random.pick([0, 1, 7, 0x7fffffff, -1]);
      case "kind": case "qos": return random.between(0, 2);
    }
  }

  /** A record of a document, or of members that were thrown together; in both a byte may be wrong. */
  private record(): Buffer {
    const { random } = this;
    const record = random.percent(60) ? packJson(random.pick(DOCUMENTS)) : Buffer.concat(Array.from({ length: random.between(0, 5) }, () => this.member()));
    if (record.length > 0 && random.percent(30)) record[random.between(0, record.length - 1)] = random.between(0, 255);
    return random.percent(10) ? record.subarray(0, random.between(0, record.length)) : record;
  }

  private member(): Buffer {
    const { random } = this;
    const body = random.percent(50) ? BigInt(random.u32() | 0) << BigInt(random.between(0, 31)) : Buffer.from(random.pick(TEXTS));
    return packMember(random.between(0, 11), random.pick(["", "a", "device", "é", "id", "keys", 'k"\n']), body, random.between(0, 20));
  }
}
