// The store: areas of flash memory, in RAM or in files, with the rules of NOR flash.

import { closeSync, fchmodSync, fstatSync, fsync, open, openSync, close, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Status, StoreArea, StoreInfo, Want } from "../../../build/generated/abi.ts";
import { errorOf } from "../errors.ts";
import { makeDirectory, syncDirectory } from "./directory.ts";
import type { StorePort } from "./port.ts";

export const ERASE_BYTES = 4096;
const PROGRAM_BYTES = 4;
const ERASED = 0xff;

/** Bytes of each area, whole erase units; 0 = absent. */
export type AreaBytes = Readonly<Record<number, number>>;

export const AREA_BYTES: AreaBytes = { [StoreArea.Journal]: 16384, [StoreArea.Queue]: 65536, [StoreArea.Database]: 0 };
const AREA_FILES: Readonly<Record<number, string>> = {
  [StoreArea.Journal]: "journal.flash", [StoreArea.Queue]: "queue.flash", [StoreArea.Database]: "database.flash",
};

/** Areas in RAM: they outlive a trap of the module, not the process. */
export class MemoryStore implements StorePort {
  onActivity: (happened: number) => void = () => {};
  protected readonly areas = new Map<number, Uint8Array>();

  constructor(areaBytes: AreaBytes = AREA_BYTES) {
    for (const [area, bytes] of Object.entries(areaBytes)) {
      if (!(Number.isInteger(bytes) && bytes >= 0 && bytes % ERASE_BYTES === 0)) throw new RangeError(`an area has whole units of ${ERASE_BYTES} bytes, not ${bytes}`);
      if (bytes > 0) this.areas.set(Number(area), new Uint8Array(bytes).fill(ERASED));
    }
  }

  info(area: number, what: number): number {
    if (area < StoreArea.Journal || area > StoreArea.Database) return Status.InvalidValue;
    if (what === StoreInfo.Size) return this.areas.get(area)?.length ?? 0;
    if (what === StoreInfo.EraseSize) return ERASE_BYTES;
    return what === StoreInfo.ProgramSize ? PROGRAM_BYTES : Status.InvalidValue;
  }

  read(area: number, offset: number, into: Uint8Array): number {
    const bytes = this.#part(area, offset, into.length);
    if (bytes === null) return Status.InvalidValue;
    into.set(bytes);
    return bytes.length;
  }

  /** Programs up to the end of the unit; a bit that is 0 stays 0, whatever is asked. */
  program(area: number, offset: number, bytes: Uint8Array): number {
    const length = Math.min(bytes.length, ERASE_BYTES - (offset % ERASE_BYTES));
    const target = this.#part(area, offset, length);
    if (target === null || offset % PROGRAM_BYTES !== 0 || length % PROGRAM_BYTES !== 0) return Status.InvalidValue;
    return this.#replace(area, offset, target, target.map((old, index) => old & bytes[index]!));
  }

  erase(area: number, offset: number): number {
    const target = this.#part(area, offset, ERASE_BYTES);
    if (target === null || offset % ERASE_BYTES !== 0) return Status.InvalidValue;
    return this.#replace(area, offset, target, new Uint8Array(ERASE_BYTES).fill(ERASED));
  }

  sync(area: number): number {
    return this.areas.has(area) ? 1 : Status.InvalidValue;
  }

  /** Called before a change; throws when it cannot be kept. */
  protected write(_area: number, _offset: number, _bytes: Uint8Array): void {}

  #replace(area: number, offset: number, target: Uint8Array, bytes: Uint8Array): number {
    try {
      this.write(area, offset, bytes);
    } catch {
      return Status.StoreFailed;
    }
    target.set(bytes);
    return bytes.length;
  }

  #part(area: number, offset: number, length: number): Uint8Array | null {
    const bytes = this.areas.get(area);
    if (bytes === undefined || offset < 0 || length < 0 || offset + length > bytes.length) return null;
    return bytes.subarray(offset, offset + length);
  }
}

/**
 * Areas in files that only their owner may read, since they hold credentials. One client uses a directory at a time.
 * Writes are small and go to the operating system at once; `sync` waits for the disk beside the event loop.
 */
export class FileStore extends MemoryStore {
  readonly #directory: string;
  readonly #changes = new Map<number, { written: number; synced: number; isSyncing: boolean; hasFailed: boolean }>();

  constructor(directory: string, areaBytes: AreaBytes = AREA_BYTES) {
    super(areaBytes);
    this.#directory = directory;
    makeDirectory(directory);
    for (const [area, bytes] of this.areas) {
      this.#changes.set(area, { written: 1, synced: 0, isSyncing: false, hasFailed: false });
      load(this.#path(area), bytes);
    }
    syncDirectory(directory);
  }

  override sync(area: number): number {
    const changes = this.#changes.get(area);
    if (changes === undefined) return Status.InvalidValue;
    if (changes.hasFailed) {
      changes.hasFailed = false;
      return Status.StoreFailed;
    }
    if (changes.synced === changes.written) return 1;
    if (changes.isSyncing) return 0;
    changes.isSyncing = true;
    const upTo = changes.written;
    syncFile(this.#path(area), (isDone) => {
      changes.isSyncing = false;
      if (isDone) changes.synced = upTo;
      changes.hasFailed = !isDone;
      this.onActivity(Want.Work);
    });
    return 0;
  }

  protected override write(area: number, offset: number, bytes: Uint8Array): void {
    const file = openSync(this.#path(area), "r+");
    try {
      writeWhole(file, bytes, offset);
    } finally {
      closeSync(file);
    }
    this.#changes.get(area)!.written++;
  }

  #path(area: number): string {
    return join(this.#directory, AREA_FILES[area]!);
  }
}

/** Reads what a file has of an area, and writes the rest as erased: a hole in a file would read as programmed. */
function load(path: string, bytes: Uint8Array): void {
  // "a+" creates the file when it is not there; "r+" then writes where it is told to.
  closeSync(openSync(path, "a+", 0o600));
  const file = openSync(path, "r+");
  try {
    fchmodSync(file, 0o600);
    const { size } = fstatSync(file);
    if (size > bytes.length) throw errorOf(Status.StoreFailed, "store", { text: `${path} has ${size} bytes, but the area has ${bytes.length}` });
    let length = 0;
    while (length < size) {
      const part = readSync(file, bytes, length, size - length, length);
      if (part === 0) break;
      length += part;
    }
    writeWhole(file, bytes.subarray(length), length);
  } finally {
    closeSync(file);
  }
}

function writeWhole(file: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done, offset + done);
}

function syncFile(path: string, onDone: (isDone: boolean) => void): void {
  open(path, "r+", (openError, file) => {
    if (openError !== null) {
      onDone(false);
      return;
    }
    fsync(file, (syncError) => close(file, (closeError) => onDone(syncError === null && !closeError)));
  });
}
