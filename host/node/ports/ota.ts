// The image slot as the module sees it: sequential, one image at a time, long work started and collected.

import { OtaKind, Status, Want } from "../../../build/generated/abi.ts";
import { checksum } from "./checksum.ts";
import type { ImageSlot } from "./image.ts";
import type { OtaPort } from "./port.ts";

/** Work that goes on beside the event loop, known by what it was asked. */
interface Job {
  readonly name: string;
  result: number;
}

export class SlotOta implements OtaPort {
  onActivity: (happened: number) => void = () => {};
  #size = 0;
  #offset = 0;
  #job: Job | null = null;

  constructor(private readonly slot: ImageSlot) {}

  begin(kind: number, size: number, id: Uint8Array): number {
    this.#job = null;
    this.#size = 0;
    if (size < 1 || (kind !== OtaKind.Firmware && kind !== OtaKind.Software)) return Status.InvalidValue;
    if (size > this.slot.bytesMax) return Status.TooLarge;
    try {
      this.#offset = this.slot.open(kind, size, id);
    } catch {
      return Status.StoreFailed;
    }
    this.#size = size;
    return this.#offset;
  }

  write(bytes: Uint8Array): number {
    if (this.#size === 0 || this.#job !== null) return Status.BadState;
    if (this.#offset + bytes.length > this.#size) return Status.TooLarge;
    try {
      this.slot.append(bytes);
    } catch {
      return Status.StoreFailed;
    }
    this.#offset += bytes.length;
    return bytes.length;
  }

  verify(algorithm: number, hex: string): number {
    if (this.#size === 0 || this.#offset < this.#size) return Status.BadState;
    return this.#work(`verify ${algorithm} ${hex}`, async () => {
      const actual = await checksum(algorithm, this.slot.read());
      return actual === hex.toLowerCase() ? 1 : Status.InvalidValue;
    });
  }

  commit(): number {
    if (this.#size === 0 || this.#offset < this.#size) return Status.BadState;
    const result = this.#work("commit", async () => {
      await this.slot.commit();
      return 1;
    });
    if (result === 1) this.#size = 0;
    return result;
  }

  abort(): number {
    if (this.#size === 0) return Status.BadState;
    this.#size = 0;
    try {
      this.slot.drop();
      return Status.Ok;
    } catch {
      return Status.StoreFailed;
    }
  }

  bootState(): number {
    return this.slot.bootState();
  }

  confirm(): number {
    try {
      this.slot.confirm();
      return 1;
    } catch {
      return Status.StoreFailed;
    }
  }

  /** Begins the work, or answers 0 until it has ended; its result is given once. */
  #work(name: string, run: () => Promise<number>): number {
    const job = this.#job;
    if (job !== null && job.name !== name) return job.result === 0 ? 0 : this.#begin(name, run);
    if (job === null) return this.#begin(name, run);
    if (job.result !== 0) this.#job = null;
    return job.result;
  }

  #begin(name: string, run: () => Promise<number>): number {
    const job: Job = { name, result: 0 };
    this.#job = job;
    const end = (result: number): void => {
      job.result = result;
      this.onActivity(Want.Work);
    };
    run().then(end, () => end(Status.StoreFailed));
    return 0;
  }
}
