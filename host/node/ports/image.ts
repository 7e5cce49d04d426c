// Where images are kept: in files, with the boot of a device in miniature, or in RAM.

import { createHash } from "node:crypto";
import { closeSync, constants, createReadStream, existsSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { copyFile, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { OtaBootState, OtaKind } from "../../../build/generated/abi.ts";
import { makeDirectory, syncDirectory } from "./directory.ts";

/** Keeps one image while it is written, and what boots. Failures are thrown. */
export interface ImageSlot {
  /** The largest image that is taken. */
  readonly bytesMax: number;
  /** Opens the slot; the offset to go on from, above 0 when the image of this id and size was begun before. */
  open(kind: number, size: number, id: Uint8Array): number;
  append(bytes: Uint8Array): void;
  read(): AsyncIterable<Uint8Array>;
  /** Makes the image durable, and the one that boots next. */
  commit(): Promise<void>;
  drop(): void;
  bootState(): number;
  confirm(): void;
}

const NAMES: Readonly<Record<number, string>> = { [OtaKind.Firmware]: "firmware", [OtaKind.Software]: "software" };
const BYTES_MAX = 2 ** 31 - 1;
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;

/** What the file `boot` says. A firmware image runs on trial once; without confirmation the next boot takes the one before it. */
type Boot = "confirmed" | "committed" | "on trial" | "rolled back";

/**
 * Images in a directory: `firmware.image` and `software.image` are what was committed. While an image is written, its file is
 * named by the digest of its id and size, so the name and the length of the file are all that a restart needs to go on.
 * The making of this object stands for a boot.
 */
export class FileSlot implements ImageSlot {
  readonly #directory: string;
  readonly #bootState: number;
  #kind = OtaKind.Firmware as number;
  #part = "";
  #isConfirmed = false;

  constructor(directory: string, readonly bytesMax: number = BYTES_MAX) {
    this.#directory = directory;
    makeDirectory(directory);
    this.#bootState = this.#boot();
  }

  /** The file of the committed image. */
  imagePath(kind: number): string {
    return join(this.#directory, `${NAMES[kind]}.image`);
  }

  open(kind: number, size: number, id: Uint8Array): number {
    const name = NAMES[kind]!;
    const digest = createHash("sha256").update(`${size}\n`).update(id).digest("hex");
    const part = `${name}-${digest.slice(0, 32)}.part`;
    for (const other of readdirSync(this.#directory)) {
      if (other.startsWith(`${name}-`) && other.endsWith(".part") && other !== part) rmSync(join(this.#directory, other));
    }
    this.#kind = kind;
    this.#part = join(this.#directory, part);
    closeSync(openSync(this.#part, "a", 0o600));
    const { size: length } = statSync(this.#part);
    if (length <= size) return length;
    writeFileSync(this.#part, "");
    return 0;
  }

  append(bytes: Uint8Array): void {
    const file = openSync(this.#part, "a");
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    } finally {
      closeSync(file);
    }
  }

  read(): AsyncIterable<Uint8Array> {
    return createReadStream(this.#part);
  }

  async commit(): Promise<void> {
    // Another image may be begun meanwhile.
    const part = this.#part;
    const image = this.imagePath(this.#kind);
    const isFirmware = this.#kind === OtaKind.Firmware;
    await sync(part);
    if (isFirmware && existsSync(image)) {
      // A copy, so that at no moment there is nothing to boot.
      await copyFile(image, `${image}.next`, constants.COPYFILE_FICLONE);
      await sync(`${image}.next`);
      await rename(`${image}.next`, this.#previousPath);
    }
    if (!existsSync(part)) throw new Error("the image was dropped");
    // Before the image, which must not boot without its trial.
    if (isFirmware) this.#setBoot("committed");
    renameSync(part, image);
    syncDirectory(this.#directory);
  }

  drop(): void {
    rmSync(this.#part, { force: true });
  }

  bootState(): number {
    return this.#isConfirmed ? OtaBootState.Normal : this.#bootState;
  }

  confirm(): void {
    this.#setBoot("confirmed");
    this.#isConfirmed = true;
  }

  get #previousPath(): string {
    return join(this.#directory, "firmware.previous");
  }

  get #bootPath(): string {
    return join(this.#directory, "boot");
  }

  #boot(): number {
    const boot = existsSync(this.#bootPath) ? readFileSync(this.#bootPath, "utf8").trim() as Boot : "confirmed";
    if (boot === "committed") {
      this.#setBoot("on trial");
      return OtaBootState.Unconfirmed;
    }
    if (boot === "on trial") {
      if (existsSync(this.#previousPath)) renameSync(this.#previousPath, this.imagePath(OtaKind.Firmware));
      this.#setBoot("rolled back");
    }
    return boot === "on trial" || boot === "rolled back" ? OtaBootState.RolledBack : OtaBootState.Normal;
  }

  #setBoot(boot: Boot): void {
    writeFileSync(`${this.#bootPath}.next`, `${boot}\n`, { mode: 0o600, flush: true });
    renameSync(`${this.#bootPath}.next`, this.#bootPath);
    syncDirectory(this.#directory);
  }
}

/** Images in RAM, for programs that take them from here; nothing outlives the process. */
export class MemorySlot implements ImageSlot {
  readonly #committed = new Map<number, Uint8Array>();
  #id = "";
  #kind = 0;
  #image = new Uint8Array(0);
  #offset = 0;

  constructor(readonly bytesMax: number = MEMORY_BYTES_MAX) {}

  /** The committed image. */
  image(kind: number): Uint8Array | undefined {
    return this.#committed.get(kind);
  }

  open(kind: number, size: number, id: Uint8Array): number {
    const name = `${kind} ${size} ${Buffer.from(id).toString("hex")}`;
    if (this.#id === name) return this.#offset;
    this.#image = new Uint8Array(size);
    this.#id = name;
    this.#kind = kind;
    this.#offset = 0;
    return 0;
  }

  append(bytes: Uint8Array): void {
    this.#image.set(bytes, this.#offset);
    this.#offset += bytes.length;
  }

  async *read(): AsyncIterable<Uint8Array> {
    yield this.#image;
  }

  async commit(): Promise<void> {
    this.#committed.set(this.#kind, this.#image);
    this.drop();
  }

  drop(): void {
    this.#id = "";
    this.#image = new Uint8Array(0);
    this.#offset = 0;
  }

  bootState(): number {
    return OtaBootState.Normal;
  }

  confirm(): void {}
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
