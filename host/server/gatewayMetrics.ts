// Latencies that a gateway's connectors report beside telemetry, kept for its own telemetry `gatewayMetrics` (spec 3.6).

import { type Json, JsonNumber, printString } from "./json.ts";
import { UnconvertibleError } from "./outcome.ts";

export interface GatewayMetadata {
  readonly connector: string;
  readonly receivedTsMs: number;
  readonly publishedTsMs: number;
}

/** All three members are required. */
export function readGatewayMetadata(json: Json): GatewayMetadata {
  const [connector, receivedTs, publishedTs] = json instanceof Map ? ["connector", "receivedTs", "publishedTs"].map((key) => json.get(key)) : [];
  if (typeof connector !== "string" || !(receivedTs instanceof JsonNumber) || !(publishedTs instanceof JsonNumber)) {
    throw new UnconvertibleError('"metadata" must have "connector", "receivedTs" and "publishedTs"');
  }
  return { connector, receivedTsMs: Number(receivedTs.text), publishedTsMs: Number(publishedTs.text) };
}

class Latency {
  #sumMs = 0;
  #count = 0;
  #minMs = Infinity;
  #maxMs = -Infinity;

  add(ms: number): void {
    this.#sumMs += ms;
    this.#count++;
    this.#minMs = Math.min(this.#minMs, ms);
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  print(name: string): string {
    return `"avg${name}Latency":${this.#sumMs / this.#count},"min${name}Latency":${this.#minMs},"max${name}Latency":${this.#maxMs}`;
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
