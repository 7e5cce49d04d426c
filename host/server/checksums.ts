// The checksums of OTA packages, in the exact text forms that devices are told (spec 2.10).

import { createHash } from "node:crypto";
import { hash128x64, hash32 } from "murmur-hash";
import { crc32 } from "../node/ports/crc32.ts";

export const checksumAlgorithms = ["MD5", "SHA256", "SHA384", "SHA512", "CRC32", "MURMUR3_32", "MURMUR3_128"] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

export function checksum(algorithm: ChecksumAlgorithm, data: Buffer): string {
  switch (algorithm) {
    case "CRC32":
      return littleEndian(crc32(data));
    case "MURMUR3_32":
      return littleEndian(hash32(data, 0));
    case "MURMUR3_128": {
      const [first, second] = splitBytes(hash128x64(data, { seed: 0, output: "hex" }) as string);
      return first!.reverse().toString("hex") + second!.reverse().toString("hex");
    }
    default:
      return createHash(algorithm.toLowerCase()).update(data).digest("hex");
  }
}

function littleEndian(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes.toString("hex");
}

function splitBytes(hex: string): Buffer[] {
  return [hex.slice(0, 16), hex.slice(16)].map((half) => Buffer.from(half, "hex"));
}
