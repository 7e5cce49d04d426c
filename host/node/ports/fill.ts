// Puts an image into the slot that the application fetched, and verifies it as the module does with chunks.

import { setTimeout as sleep } from "node:timers/promises";
import { OtaAlgorithm, Status } from "../../../build/generated/abi.ts";
import { errorOf } from "../errors.ts";
import type { OtaPort } from "./port.ts";

/** How long a busy port is left alone. */
const BUSY_MS = 5;
/** An image of unknown size is collected first, up to this. */
const COLLECTED_BYTES_MAX = 64 * 1024 * 1024;

/** The algorithms whose checksums have so many hex digits; the server names none beside a URL. */
const ALGORITHMS: Readonly<Record<number, readonly number[]>> = {
  8: [OtaAlgorithm.Crc32, OtaAlgorithm.Murmur3_32], 32: [OtaAlgorithm.Md5, OtaAlgorithm.Murmur3_128],
  64: [OtaAlgorithm.Sha256], 96: [OtaAlgorithm.Sha384], 128: [OtaAlgorithm.Sha512],
};

export interface Expected {
  readonly url: string;
  /** 0 = not known. */
  readonly totalBytes: number;
  /** Empty = not known, and then not verified. */
  readonly checksum: string;
}

/** Throws when the image is not what is expected; nothing is written once the signal has aborted. */
export async function fillSlot(
  port: OtaPort, kind: number, expected: Expected, image: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, signal: AbortSignal,
): Promise<void> {
  const { url, checksum } = expected;
  const { parts, totalBytes } = expected.totalBytes > 0 ? { parts: image, totalBytes: expected.totalBytes } : await collect(image);
  signal.throwIfAborted();
  let offset = require(port.begin(kind, totalBytes, Buffer.from(`${url}\n${checksum}\n`)));
  let position = 0;
  for await (const part of parts) {
    // What an earlier attempt wrote is passed.
    let rest = part.subarray(Math.min(part.length, Math.max(0, offset - position)));
    position += part.length;
    while (rest.length > 0) {
      const taken = await notBusy(() => port.write(rest), signal);
      offset += taken;
      rest = rest.subarray(taken);
    }
  }
  if (position !== totalBytes) throw errorOf(Status.ChecksumMismatch, "image", { text: `${position} of ${totalBytes} bytes` });
  if (checksum === "") return;
  for (const algorithm of ALGORITHMS[checksum.length] ?? []) {
    const verified = await notBusy(() => port.verify(algorithm, checksum), signal, Status.InvalidValue);
    if (verified > 0) return;
  }
  require(port.abort());
  throw errorOf(Status.ChecksumMismatch, "image", { text: checksum });
}

async function collect(image: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<{ parts: Uint8Array[]; totalBytes: number }> {
  const parts: Uint8Array[] = [];
  let totalBytes = 0;
  for await (const part of image) {
    parts.push(part);
    totalBytes += part.length;
    if (totalBytes > COLLECTED_BYTES_MAX) throw errorOf(Status.TooLarge, "image of unknown size", { value: totalBytes });
  }
  return { parts, totalBytes };
}

async function notBusy(ask: () => number, signal: AbortSignal, tolerated: number = Status.Ok): Promise<number> {
  for (;;) {
    signal.throwIfAborted();
    const result = ask();
    if (result !== 0) return result === tolerated ? result : require(result);
    await sleep(BUSY_MS);
  }
}

function require(result: number): number {
  if (result < 0) throw errorOf(result, "image slot");
  return result;
}
