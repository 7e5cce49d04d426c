// What the server knows of firmware updates: the package that is assigned, its chunks, and what the device reported.

import { createHash } from "node:crypto";
import type { Random } from "./random.ts";

const TITLE = "pump";
const CHUNK_REQUEST = /^v2\/fw\/request\/\d+\/chunk\/(\d+)$/;

export class Updates {
  /** The device can take them. */
  isOn = true;
  /** What the device is to run in the end; null when it was never told. */
  version: string | null = null;
  image = Buffer.alloc(0);
  readonly #versions = new Map<string, string>();
  /** What the device said about the present package last. */
  state = "";
  /** What the device said that it runs. */
  running = "";
  #count = 0;

  constructor(readonly random: Random) {}

  /** Assigns a further package; false while the one before is on its way, as a careful operator has it most of the time. */
  assign(): boolean {
    if (!this.isOn || this.version !== null && !this.isSettled && !this.random.percent(20)) return false;
    this.image = Buffer.from(Array.from({ length: this.random.between(1, 6000) }, () => this.random.between(0, 255)));
    this.version = `1.${++this.#count}`;
    this.state = "";
    this.#versions.set(hashOf(this.image), this.version);
    return true;
  }

  /** The version whose image this is, byte for byte; undefined when it is none. */
  versionOf(image: Buffer | null): string | undefined {
    return image === null ? undefined : this.#versions.get(hashOf(image));
  }

  get attributes(): Record<string, string | number> | null {
    if (this.version === null) return null;
    return {
      fw_title: TITLE, fw_version: this.version, fw_size: this.image.length, fw_checksum_algorithm: "SHA256",
      fw_checksum: hashOf(this.image),
    };
  }

  /** The bytes of the chunk that a topic asks for; null when it asks for none. */
  chunk(topic: string, sizeText: string): Buffer | null {
    const match = CHUNK_REQUEST.exec(topic);
    const size = Number(sizeText);
    return match === null ? null : this.image.subarray(Number(match[1]) * size, (Number(match[1]) + 1) * size);
  }

  report({ fw_state: state, current_fw_version: running }: { fw_state?: string | undefined; current_fw_version?: string | undefined }): void {
    // Reports that were not acknowledged come again, behind later ones.
    if (state !== undefined && this.state !== "FAILED") this.state = state;
    if (running !== undefined) this.running = running;
  }

  /** The update came to an end, a good one or one that was reported. */
  get isSettled(): boolean {
    return this.version === null || this.running === this.version || this.state === "FAILED";
  }
}

function hashOf(image: Buffer): string {
  return createHash("sha256").update(image).digest("hex");
}
