// Latencies that a gateway's connectors report beside telemetry, kept for its own telemetry `gatewayMetrics` (spec 3.6).

import { readLong, readText } from "./gson.ts";
import { type Json, printString } from "./json.ts";
import { UnconvertibleError } from "./outcome.ts";

export interface GatewayMetadata {
  readonly connector: string;
  readonly receivedTsMs: number;
  readonly publishedTsMs: number;
}

/** All three members are required. */
export function readGatewayMetadata(json: Json): GatewayMetadata {
  if (!(json instanceof Map)) throw new UnconvertibleError('"metadata" must be an object');
  return {
    connector: readText(json.get("connector"), "connector"),
    receivedTsMs: readLong(json.get("receivedTs"), "receivedTs"),
    publishedTsMs: readLong(json.get("publishedTs"), "publishedTs"),
  };
}

/** In whole milliseconds. A minimum of 0 is taken for none yet, and a maximum is never below 0, as on the real server. */
class Latency {
  #sumMs = 0;
  #count = 0;
  #minMs = 0;
  #maxMs = 0;

  add(ms: number): void {
    this.#sumMs += ms;
    this.#count++;
    if (this.#minMs === 0 || ms < this.#minMs) this.#minMs = ms;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  print(name: string): string {
    const averageMs = Math.trunc(this.#sumMs / this.#count);
    return `"avg${name}Latency":${averageMs},"min${name}Latency":${this.#minMs},"max${name}Latency":${this.#maxMs}`;
  }
}

/** Further connectors of one report are not kept. */
const connectorsMax = 100;

export class GatewayMetrics {
  #connectors = new Map<string, { gateway: Latency; transport: Latency }>();

  add({ connector, receivedTsMs, publishedTsMs }: GatewayMetadata, nowMs: number): void {
    let latencies = this.#connectors.get(connector);
    if (latencies === undefined) {
      if (this.#connectors.size >= connectorsMax) return;
      this.#connectors.set(connector, (latencies = { gateway: new Latency(), transport: new Latency() }));
    }
    latencies.gateway.add(publishedTsMs - receivedTsMs);
    latencies.transport.add(nowMs - publishedTsMs);
  }

  /** JSON keyed by connector, and a new beginning; null when nothing was reported. */
  take(): string | null {
    if (this.#connectors.size === 0) return null;
    const members = [...this.#connectors].map(
      ([connector, { gateway, transport }]) => `${printString(connector)}:{${gateway.print("Gw")},${transport.print("Transport")}}`,
    );
    this.#connectors = new Map();
    return `{${members.join(",")}}`;
  }
}
