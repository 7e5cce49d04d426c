// Updates of firmware and software: progress for readers, and the word of the application before an image is applied.

import { EventKind, OtaKind } from "../../build/generated/abi.ts";
import { checkWord } from "./check.ts";
import { OtaError, statusName, textOf, type StatusName } from "./errors.ts";
import type { ModuleEvent } from "./event-record.ts";
import type { ClientModule } from "./module.ts";
import { fillSlot } from "./ports/fill.ts";
import type { OtaPort } from "./ports/port.ts";
import { AsyncQueue } from "./queue.ts";

export type UpdateKind = "firmware" | "software";

interface Package {
  readonly kind: UpdateKind;
  readonly title: string;
  readonly version: string;
}

/** Named as in ABI.md, `EventKind`. */
export type OtaEvent =
  | Package & { readonly type: "OtaAvailable" | "OtaReady"; readonly totalBytes: number }
  | { readonly type: "OtaProgress"; readonly kind: UpdateKind; readonly writtenBytes: number; readonly totalBytes: number }
  | { readonly type: "OtaUrl"; readonly kind: UpdateKind; readonly url: string; readonly checksum: string; readonly totalBytes: number }
  | { readonly type: "OtaFailed"; readonly kind: UpdateKind; readonly error: OtaError; readonly reason: StatusName | "Unknown" }
  | Package & { readonly type: "OtaApplied" };

type OtaUrl = Extract<OtaEvent, { type: "OtaUrl" }>;

/** False, and an exception, veto the image; anything else applies it. */
export type OtaHandler = (update: Package & { readonly totalBytes: number }) => boolean | void | Promise<boolean | void>;

/**
 * Fetches an image that the server names by its URL; an exception ends the update. The signal tells that it is no longer wanted, or not
 * now: `stop` aborts it, and the next session calls the handler again.
 */
export type OtaUrlHandler = (
  update: OtaUrl, signal: AbortSignal,
) => AsyncIterable<Uint8Array> | Uint8Array | Promise<AsyncIterable<Uint8Array> | Uint8Array>;

/** Events kept for a slow reader; the oldest go first. */
const EVENTS_MAX = 256;

type Use = (call: (module: ClientModule) => void) => void;

export class Updates {
  handler: OtaHandler | null = null;
  urlHandler: OtaUrlHandler | null = null;
  readonly #readers = new Set<AsyncQueue<OtaEvent>>();
  /** What is being downloaded, by kind: the events that follow name it no more. */
  readonly #packages = new Map<number, Package>();

  #fetching = new AbortController();
  /** What is fetched, until it is there. */
  #fetched: OtaUrl | null = null;

  /** `isLeft` tells that an app beside the client decides where there is no handler. */
  constructor(private readonly use: Use, private readonly port: OtaPort, private readonly isLeft: () => boolean) {}

  events(signal?: AbortSignal): AsyncIterableIterator<OtaEvent> {
    const queue: AsyncQueue<OtaEvent> = new AsyncQueue<OtaEvent>(EVENTS_MAX, () => this.#readers.delete(queue), signal);
    this.#readers.add(queue);
    return queue;
  }

  start(kind: UpdateKind): void {
    this.use((module) => module.require(module.ota("ota_start", number(kind)), `update of ${kind}`));
  }

  stop(kind: UpdateKind): void {
    this.use((module) => module.require(module.ota("ota_stop", number(kind)), `end of the update of ${kind}`));
  }

  /** Takes an event; true when it was one of an update. */
  take(event: ModuleEvent): boolean {
    const told = this.#event(event);
    if (told === null) return false;
    for (const queue of this.#readers) queue.pushDroppingOldest(told);
    // The slot belongs to whatever comes now.
    if (told.type !== "OtaProgress") this.lost();
    if (told.type === "OtaReady") void this.#decide(told);
    if (told.type === "OtaUrl") void this.#fetch(told);
    return true;
  }

  /** A session begins: goes on with a fetch that was halted. */
  resume(): void {
    if (this.#fetched !== null && this.#fetching.signal.aborted) void this.#fetch(this.#fetched);
  }

  /** The client stops. The module goes on waiting for the image. */
  halt(): void {
    this.#fetching.abort();
    for (const queue of [...this.#readers]) queue.end();
  }

  /** Nobody waits for the image any more. */
  lost(): void {
    this.#fetching.abort();
    this.#fetched = null;
  }

  async #decide({ kind, title, version, totalBytes }: Extract<OtaEvent, { type: "OtaReady" | "OtaAvailable" }>): Promise<void> {
    if (this.handler === null && this.isLeft()) return;
    const isAccepted = await answer(async () => this.handler?.({ kind, title, version, totalBytes }));
    this.#apply(kind, isAccepted);
  }

  async #fetch(update: OtaUrl): Promise<void> {
    const { urlHandler, port } = this;
    const { signal } = this.#fetching = new AbortController();
    this.#fetched = update;
    const isFetched = urlHandler !== null && await answer(async () => {
      const image = await urlHandler(update, signal);
      await fillSlot(port, number(update.kind), update, image instanceof Uint8Array ? [image] : image, signal);
    }, signal);
    if (signal.aborted) return;
    this.#fetched = null;
    this.#apply(update.kind, isFetched);
  }

  #apply(kind: UpdateKind, isAccepted: boolean): void {
    try {
      this.use((module) => module.require(module.applyOta(number(kind), isAccepted), `update of ${kind}`));
    } catch (error) {
      // The update was given up meanwhile; its end has been told.
      process.emitWarning(error as Error, { code: "MOTE_UPDATE_GONE" });
    }
  }

  #event(event: ModuleEvent): OtaEvent | null {
    const { id, name, value, total, offset, reason } = event;
    const kind: UpdateKind = id === OtaKind.Software ? "software" : "firmware";
    const known = this.#packages.get(id) ?? { kind, title: "", version: "" };
    switch (event.kind) {
      case EventKind.OtaAvailable: {
        const available = { kind, title: unescaped(name), version: unescaped(value) };
        this.#packages.set(id, available);
        return { type: "OtaAvailable", ...available, totalBytes: total };
      }
      case EventKind.OtaProgress: return { type: "OtaProgress", kind, writtenBytes: offset, totalBytes: total };
      case EventKind.OtaReady: return { type: "OtaReady", ...known, totalBytes: total };
      case EventKind.OtaUrl: return { type: "OtaUrl", kind, url: unescaped(name), checksum: unescaped(value), totalBytes: total };
      case EventKind.OtaFailed:
        return { type: "OtaFailed", kind, error: new OtaError(reason, `update of ${kind}`, { text: name }), reason: statusName(reason) };
      case EventKind.OtaApplied: return { type: "OtaApplied", ...known };
      default: return null;
    }
  }
}

async function answer(ask: () => Promise<boolean | void | undefined>, signal?: AbortSignal): Promise<boolean> {
  try {
    return (await ask()) !== false;
  } catch (error) {
    // What was called off fails as it should.
    if (!signal?.aborted) process.emitWarning(error instanceof Error ? error : textOf(error), { code: "MOTE_HANDLER_FAILED" });
    return false;
  }
}

/** JSON text without its quotes. */
function unescaped(text: string): string {
  return JSON.parse(`"${text}"`) as string;
}

function number(kind: UpdateKind): number {
  checkWord("update", "kind", kind, ["firmware", "software"]);
  return kind === "software" ? OtaKind.Software : OtaKind.Firmware;
}
