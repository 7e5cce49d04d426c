// An image slot that a vector scripts: what it answers, and what the client did to it in words of the log.

import { OtaAlgorithm, OtaBootState, OtaKind, Status } from "../../build/generated/abi.ts";
import { showBytes } from "./words.ts";

export class ScriptedImage {
  private offset = 0;
  private room = Infinity;
  private isBusy = false;
  private verdict = 1;
  private failure = 0;
  private boot: number = OtaBootState.Normal;

  constructor(private readonly act: (text: string, taken?: Uint8Array) => void) {}

  /** `resumes at N`, `takes N`, `takes all`, `is busy`, `is idle`, `differs`, `fails STATUS`, `boots STATE`. */
  script(text: string): void {
    const [verb, ...rest] = text.split(" ");
    const word = rest.at(-1)!;
    if (verb === "resumes") this.offset = Number(word);
    else if (verb === "takes") this.room = word === "all" ? Infinity : Number(word);
    else if (verb === "is") this.isBusy = word === "busy";
    else if (verb === "differs") this.verdict = Status.InvalidValue;
    else if (verb === "fails") this.failure = Status[word as keyof typeof Status];
    else if (verb === "boots") this.boot = OtaBootState[word as keyof typeof OtaBootState];
    else throw new Error(`not a thing that an image slot does: ${text}`);
  }

  begin(kind: number, size: number, id: Uint8Array): number {
    this.act(`begins ${nameOf(OtaKind, kind)} ${size} ${showBytes(id)}`);
    return this.failure || this.offset;
  }

  write(bytes: Uint8Array): number {
    if (bytes.length === 0) throw new Error("ota_write of nothing");
    if (this.failure) return this.failure;
    const taken = Math.min(bytes.length, this.room);
    this.room -= taken;
    if (taken > 0) this.act("takes", bytes.subarray(0, taken));
    return taken;
  }

  verify(algorithm: number, hex: Uint8Array): number {
    return this.end(`is verified by ${nameOf(OtaAlgorithm, algorithm)} ${showBytes(hex)}`, this.verdict);
  }

  commit(): number {
    return this.end("is committed", 1);
  }

  abort(): number {
    this.act("is dropped");
    return Status.Ok;
  }

  bootState(): number {
    return this.boot;
  }

  confirm(): number {
    return this.end("is confirmed", 1);
  }

  /** Work that goes on beside the client: 0 while the slot is busy. */
  private end(text: string, result: number): number {
    if (this.isBusy) return 0;
    this.act(text);
    return this.failure || result;
  }
}

function nameOf(table: Record<string, number>, value: number): string {
  return Object.entries(table).find(([, each]) => each === value)?.[0] ?? String(value);
}
