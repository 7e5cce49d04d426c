// Flash memory of the device: the store and the image slot, which outlive a power cut that may come at any byte.

import { createHash } from "node:crypto";
import { OtaAlgorithm, OtaBootState, Status, StoreArea, StoreInfo, Want } from "../../build/generated/abi.ts";
import type { OtaPort, StorePort } from "../../host/node/ports/port.ts";
import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";

const ERASE_SIZE = 256;
const AREA_SIZE = 1024;
const PROGRAM_SIZE = 4;

/** Thrown out of an import: the device is off before the import returns. */
export class PowerCut extends Error {}

/** Says when the power fails during an access to the flash; never in calm. */
class Supply {
  isSteady = false;

  constructor(readonly random: Random, readonly cutsPerMille: number) {}

  /** How many of so many bytes are still done; all of them when the power holds. */
  lasts(length: number): number {
    const isCut = !this.isSteady && this.random.between(0, 999) < this.cutsPerMille;
    return isCut ? this.random.between(0, length) : Infinity;
  }
}

export class Flash implements StorePort {
  onActivity: (happened: number) => void = () => {};
  readonly supply: Supply;
  readonly #bytes = new Uint8Array(AREA_SIZE).fill(0xff);

  constructor(readonly schedule: Schedule, readonly random: Random, readonly onFault: (text: string) => void) {
    this.supply = new Supply(random, 150);
  }

  info(area: number, what: number): number {
    if (area !== StoreArea.Journal) return 0;
    return what === StoreInfo.Size ? AREA_SIZE : what === StoreInfo.EraseSize ? ERASE_SIZE : PROGRAM_SIZE;
  }

  read(_area: number, offset: number, into: Uint8Array): number {
    if (this.#isBusy()) return 0;
    into.set(this.#bytes.subarray(offset, offset + into.length));
    return into.length;
  }

  program(_area: number, offset: number, bytes: Uint8Array): number {
    if (offset % PROGRAM_SIZE !== 0 || bytes.length % PROGRAM_SIZE !== 0) this.onFault("programs flash off its alignment");
    if (this.#isBusy()) return 0;
    const lasts = this.supply.lasts(bytes.length);
    for (let index = 0; index < Math.min(bytes.length, lasts); index++) {
      const wanted = bytes[index]!;
      // Within an erased unit bits are only cleared.
      if ((this.#bytes[offset + index]! & wanted) !== wanted) this.onFault("programs flash that is not erased");
      this.#bytes[offset + index]! &= wanted;
    }
    if (lasts <= bytes.length) throw new PowerCut();
    return bytes.length;
  }

  erase(_area: number, offset: number): number {
    if (this.#isBusy()) return 0;
    const unit = this.#bytes.subarray(offset, offset + ERASE_SIZE);
    if (this.supply.lasts(unit.length) <= unit.length) {
      // Half erased flash reads as anything.
      for (let index = 0; index < unit.length; index++) if (this.random.percent(50)) unit[index] = this.random.between(0, 255);
      throw new PowerCut();
    }
    unit.fill(0xff);
    return unit.length;
  }

  sync(): number {
    return this.#isBusy() ? 0 : 1;
  }

  #isBusy(): boolean {
    if (!this.random.percent(20)) return false;
    this.schedule.after(this.random.between(1, 30), () => this.onActivity(Want.Work));
    return true;
  }
}

/** The image slot of one kind, with what a host's own journal keeps of it. */
export class ImageSlot implements OtaPort {
  onActivity: (happened: number) => void = () => {};
  readonly supply: Supply;
  /** The image that the next boot runs. */
  committed: Buffer | null = null;
  /** Bytes that were handed over more than once. */
  repeated = 0;
  #id = "";
  #size = 0;
  #image = Buffer.alloc(0);
  #written = 0;
  #bootState: number = OtaBootState.Normal;

  constructor(readonly schedule: Schedule, readonly random: Random) {
    this.supply = new Supply(random, 2);
  }

  begin(_kind: number, size: number, id: Uint8Array): number {
    const name = Buffer.from(id).toString();
    if (name !== this.#id || size !== this.#size) {
      this.#id = name;
      this.#size = size;
      this.#image = Buffer.alloc(size);
      this.#written = 0;
    }
    return this.#written;
  }

  write(bytes: Uint8Array): number {
    if (this.#isBusy()) return 0;
    const length = this.random.percent(10) ? this.random.between(1, bytes.length) : bytes.length;
    if (this.#written + length > this.#size) return Status.InvalidValue;
    const lasts = this.supply.lasts(length);
    this.#image.set(bytes.subarray(0, Math.min(length, lasts)), this.#written);
    this.#written += Math.min(length, lasts);
    if (lasts <= length) throw new PowerCut();
    return length;
  }

  verify(algorithm: number, hex: string): number {
    if (this.#isBusy()) return 0;
    if (algorithm !== OtaAlgorithm.Sha256) return Status.InvalidValue;
    return createHash("sha256").update(this.#image.subarray(0, this.#written)).digest("hex") === hex ? 1 : Status.InvalidValue;
  }

  commit(): number {
    if (this.#isBusy()) return 0;
    this.committed = this.#image;
    return 1;
  }

  abort(): number {
    this.#id = "";
    return Status.Ok;
  }

  bootState(): number {
    return this.#bootState;
  }

  confirm(): number {
    this.#bootState = OtaBootState.Normal;
    return 1;
  }

  /** The device restarts into the committed image; false when there is none. */
  boot(): boolean {
    if (this.committed === null) return false;
    this.committed = null;
    this.#id = "";
    this.#bootState = OtaBootState.Unconfirmed;
    return true;
  }

  #isBusy(): boolean {
    if (!this.random.percent(10)) return false;
    this.schedule.after(this.random.between(1, 60), () => this.onActivity(Want.Work));
    return true;
  }
}
