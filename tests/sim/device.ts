// The device's host in the simulated world: it polls only when the module asked for it, and watches what the module must not do.

import { EventKindNames, NO_DEADLINE_MS, Want } from "../../build/generated/abi.ts";
import type { ModuleEvent } from "../../host/node/event-record.ts";
import { ClientModule } from "../../host/node/module.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";
import { PowerCut, type Flash, type ImageSlot } from "./storage.ts";

/** What lies above the memory that the module was given must stay as it is. */
const GUARD = 0xa5;
const GUARD_NEAR_BYTES = 64;
const GUARDED = Buffer.alloc(0x1_0000, GUARD);
/** Polls within one second that nobody can call progress. */
const POLLS_IN_A_SECOND_MAX = 1000;

export interface Surroundings {
  readonly schedule: Schedule;
  readonly random: Random;
  readonly network: Network;
  readonly flash: Flash;
  readonly slot: ImageSlot;
  readonly source: WebAssembly.Module;
  readonly memoryBytes: number;
  readonly configuration: string;
  /** Where the clock of the device begins; it wraps during the run. */
  readonly clockStartMs: bigint;
  readonly trace: (line: string) => void;
  onEvent(event: ModuleEvent, module: ClientModule): void;
  onFault(text: string): void;
  /** The power failed while the flash was written. */
  onPowerCut(): void;
}

export class Device {
  readonly module: ClientModule;
  readonly #around: Surroundings;
  #memory: Uint8Array = new Uint8Array(0);
  /** Polls since the device was switched on. */
  polls = 0;
  #isOff = false;
  #sleep = 0;
  #pollsInSecond = 0;
  #second = -1;

  constructor(around: Surroundings) {
    this.#around = around;
    const { schedule, network, random } = around;
    const clock = {
      nowMs: () => around.clockStartMs + BigInt(Math.floor(schedule.nowMs)),
      unixMs: () => 0n,
      random: () => random.u32() | 0,
    };
    const { flash, slot } = around;
    network.onActivity = flash.onActivity = slot.onActivity = (happened) => this.#onActivity(happened);
    this.module = new ClientModule(around.source, { net: network, clock, store: flash, ota: slot }, around.memoryBytes, {
      afterExport: (name, memory, memoryEnd) => this.#guard(name, memory, memoryEnd),
    });
    this.module.configure(around.configuration, 1);
    this.module.start();
    this.#poll();
  }

  /** The power is gone: nothing of this instance happens any more. */
  cutPower(): void {
    this.#isOff = true;
    this.checkMemory();
    this.#around.network.forget();
  }

  /** Lets the application call the module, which may give it work; not while the device is off. */
  use(action: (module: ClientModule) => void): void {
    if (this.#isOff) return;
    action(this.module);
    this.#poll();
  }

  checkMemory(): void {
    const above = this.#memory.subarray(this.#around.memoryBytes);
    if (GUARDED.compare(above, 0, above.length, 0, above.length) !== 0) this.#around.onFault("wrote above the end of its memory");
  }

  #guard(name: string, memory: Uint8Array, memoryEnd: number): void {
    if (name === "") {
      this.#memory = memory;
      memory.fill(GUARD, memoryEnd);
    }
    for (let at = memoryEnd; at < memoryEnd + GUARD_NEAR_BYTES; at++) {
      if (memory[at] !== GUARD) this.#around.onFault(`${name} wrote behind the end of its memory`);
    }
  }

  /** One poll of the module; -1 when the power failed in it. */
  #step(): number {
    try {
      return this.module.poll();
    } catch (error) {
      if (!((error as Error).cause instanceof PowerCut)) throw error;
      this.#around.onPowerCut();
      return -1;
    }
  }

  #onActivity(happened: number): void {
    // The port tells on edges; the host looks whether the module wants any of it.
    if (!this.#isOff && (this.module.wants() & happened) !== 0) this.#poll();
  }

  /** One poll, then asleep until the module's deadline or until what it wants happens. */
  #poll(): void {
    if (this.#isOff) return;
    const { schedule, random, network, trace, onFault } = this.#around;
    const second = Math.floor(schedule.nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#pollsInSecond = 0;
    }
    if (++this.#pollsInSecond > POLLS_IN_A_SECOND_MAX) {
      onFault("polls without end");
      this.#isOff = true;
      return;
    }
    this.polls++;
    const kind = this.#step();
    if (kind < 0) return;
    if (kind !== 0) {
      const event = this.module.event();
      trace(`event ${EventKindNames[kind] ?? kind} id ${event.id} reason ${event.reason} ${event.topic}`);
      this.#around.onEvent(event, this.module);
      if (this.#isOff) return;
    }
    if (network.openHandles > 1) onFault("more than one connection is open");
    const deadlineMs = this.module.deadlineMs();
    const ready = (this.module.wants() & network.ready() & (Want.Readable | Want.Work)) !== 0;
    const sleep = ++this.#sleep;
    if (deadlineMs === NO_DEADLINE_MS && !ready) return;
    // Now and then the device has something else to do for a while.
    const lateMs = random.percent(2) ? random.between(1, 3000) : random.percent(30) ? 1 : 0;
    schedule.after((ready ? 0 : deadlineMs) + lateMs, () => { if (sleep === this.#sleep) this.#poll(); });
  }
}
