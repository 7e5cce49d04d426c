// Requests for chunks of OTA packages: the slice rules, what a connection remembers, and the server's cache of images (spec 2.10, 11.17).

import { UncheckedError } from "./outcome.ts";
import { type OtaPackage, type OtaType } from "./ota.ts";

/** `transport.mqtt.netty.max_payload_size`: the largest chunk that may be asked for. */
const chunkBytesMax = 65_536;

export interface ChunkRequest {
  readonly type: OtaType;
  /** Any digits, given back unchanged. */
  readonly requestId: string;
  readonly chunk: number;
  /** 0 or less: not given. */
  readonly chunkBytes: number;
}

/** Why the device gets a text on the error topic in place of a chunk. */
export type ChunkRefusal = "PAYLOAD_TOO_LARGE" | "NOT_FOUND" | "FAILURE";

/** Reads the numbers as Java's Integer.parseInt does: what it refuses is an unchecked exception (R4). */
export function readChunkRequest(type: OtaType, requestId: string, chunkText: string, payload: Buffer): ChunkRequest {
  const sizeText = payload.toString("utf8");
  return { type, requestId, chunk: readInt(chunkText), chunkBytes: sizeText === "" ? 0 : readInt(sizeText) };
}

function readInt(text: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= -(2 ** 31) && value < 2 ** 31)) throw new UncheckedError("not a 32-bit number");
  return value;
}

/** The images that the server can slice. One that expired gives empty chunks until a new request id brings it back (spec 11.17). */
export class OtaCache {
  readonly #now: () => number;
  /** Oldest first. */
  readonly #entries = new Map<string, { data: Buffer; untilMs: number }>();
  static readonly lifetimeMs = 60 * 60 * 1000;
  static readonly packagesMax = 10;

  constructor(now: () => number) {
    this.#now = now;
  }

  fill(id: string, data: Buffer): void {
    this.#entries.delete(id);
    this.#entries.set(id, { data, untilMs: this.#now() + OtaCache.lifetimeMs });
    if (this.#entries.size <= OtaCache.packagesMax) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest!);
  }

  get(id: string): Buffer | undefined {
    const entry = this.#entries.get(id);
    return entry !== undefined && this.#now() < entry.untilMs ? entry.data : undefined;
  }

  expireAll(): void {
    this.#entries.clear();
  }
}

/** Request ids that one connection may use; their sizes and packages are kept until it ends. */
const requestIdsMax = 1_000;

/** What one connection remembers of its requests, firmware and software together (spec 2.10). */
export class OtaChunks {
  readonly #sizes = new Map<string, number>();
  readonly #packageIds = new Map<string, string>();

  /** Whether a request asks the core for its package, which costs a message (spec 5, 11.30). */
  isFirst({ requestId }: ChunkRequest): boolean {
    return !this.#packageIds.has(requestId);
  }

  /** Whether one more request id would be too many. */
  isFull({ requestId }: ChunkRequest): boolean {
    return !this.#packageIds.has(requestId) && this.#packageIds.size >= requestIdsMax;
  }

  /** Settles the size of the chunk: the one asked for, or the last one of this request id, or 0 for the whole image. */
  sizeOf({ requestId, chunkBytes }: ChunkRequest): number | "PAYLOAD_TOO_LARGE" {
    if (chunkBytes > 0) this.#sizes.set(requestId, chunkBytes);
    const size = chunkBytes > 0 ? chunkBytes : (this.#sizes.get(requestId) ?? 0);
    return size > chunkBytesMax ? "PAYLOAD_TOO_LARGE" : size;
  }

  /** The bytes asked for, or null where the real server fails to read them and sends nothing. A request id once bound to a package keeps it, whatever is assigned later. */
  read(request: ChunkRequest, size: number, assigned: OtaPackage | null, cache: OtaCache): Buffer | ChunkRefusal | null {
    let packageId = this.#packageIds.get(request.requestId);
    if (packageId === undefined) {
      if (assigned === null) return "NOT_FOUND";
      if (assigned.data === null) return "FAILURE";
      packageId = assigned.id;
      this.#packageIds.set(request.requestId, packageId);
      cache.fill(packageId, assigned.data);
    }
    return slice(cache.get(packageId) ?? null, size, request.chunk);
  }
}

/** Past the end there is nothing. The start and what is left are 32-bit numbers in Java, and may turn negative. */
function slice(data: Buffer | null, size: number, chunk: number): Buffer | null {
  if (size === 0) return data;
  const start = Math.imul(size, chunk);
  const count = data === null ? 0 : Math.min((data.length - start) | 0, size);
  if (data === null || start >= data.length || count <= 0) return Buffer.alloc(0);
  return start < 0 ? null : data.subarray(start, start + count);
}
