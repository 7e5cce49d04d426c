// Checksums of an image as ThingsBoard writes them in `fw_checksum`.

import { createHash } from "node:crypto";
import { hash128x64, hash32 } from "murmur-hash";
import { OtaAlgorithm } from "../../../build/generated/abi.ts";
import { crc32 } from "./crc32.ts";

const DIGESTS: Readonly<Record<number, string>> = {
  [OtaAlgorithm.Md5]: "md5", [OtaAlgorithm.Sha256]: "sha256", [OtaAlgorithm.Sha384]: "sha384", [OtaAlgorithm.Sha512]: "sha512",
};

/** The checksum in lower-case hex, or null for an algorithm that is not known. */
export async function checksum(algorithm: number, image: AsyncIterable<Uint8Array>): Promise<string | null> {
  const digest = DIGESTS[algorithm];
  if (digest !== undefined) {
    const hash = createHash(digest);
    for await (const part of image) hash.update(part);
    return hash.digest("hex");
  }
  if (algorithm === OtaAlgorithm.Crc32) {
    let value = 0;
    for await (const part of image) value = crc32(part, value);
    return littleEndian(value);
  }
  // The library takes the image as a whole.
  if (algorithm === OtaAlgorithm.Murmur3_32) return littleEndian(hash32(await whole(image), 0));
  if (algorithm !== OtaAlgorithm.Murmur3_128) return null;
  const hex = hash128x64(await whole(image), { seed: 0, output: "hex" }) as string;
  return reversed(hex.slice(0, 16)) + reversed(hex.slice(16));
}

/** 8 digits, its lowest byte first: ThingsBoard writes the numbers as Guava's HashCode does. */
function littleEndian(value: number): string {
  return reversed((value >>> 0).toString(16).padStart(8, "0"));
}

function reversed(hex: string): string {
  return Buffer.from(hex, "hex").reverse().toString("hex");
}

async function whole(image: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of image) parts.push(part);
  return Buffer.concat(parts);
}
