// An image slot that a vector scripts: what it answers, and what the client did to it in words of the log.

import { OtaAlgorithm, OtaBootState, OtaKind, Status } from "../../build/generated/abi.ts";
import { showBytes } from "./words.ts";

/** What a slot answers from now on, as scripted_slot.h of the C host has it. */
export type ImageScript = [what: "resumes" | "takes" | "busy" | "verdict" | "fails" | "boots", value: number];

/** `resumes at N`, `takes N`, `takes all`, `is busy`, `is idle`, `differs`, `fails STATUS`, `boots STATE`. */
export function scriptOf(text: string): ImageScript {
  const [verb, ...rest] = text.split(" ");
  const word = rest.at(-1)!;
  switch (verb) {
    case "resumes": return ["resumes", Number(word)];
    case "takes": return ["takes", word === "all" ? Number.MAX_SAFE_INTEGER : Number(word)];
    case "is": return ["busy", word === "busy" ? 1 : 0];
    case "differs": return ["verdict", Status.InvalidValue];
    case "fails": return ["fails", Status[word as keyof typeof Status]];
    case "boots": return ["boots", OtaBootState[word as keyof typeof OtaBootState]];
  }
  throw new Error(`not a thing that an image slot does: ${text}`);
}

export function showBegin(kind: number, size: number, id: Uint8Array): string {
  return `begins ${nameOf(OtaKind, kind)} ${size} ${showBytes(id)}`;
}

export function showVerify(algorithm: number, hex: Uint8Array): string {
  return `is verified by ${nameOf(OtaAlgorithm, algorithm)} ${showBytes(hex)}`;
}

export class ScriptedImage {
  private readonly state = { resumes: 0, takes: Number.MAX_SAFE_INTEGER, busy: 0, verdict: 1, fails: 0, boots: OtaBootState.Normal as number };

  constructor(private readonly act: (text: string, taken?: Uint8Array) => void) {}

  script(text: string): void {
    const [what, value] = scriptOf(text);
    this.state[what] = value;
  }

  begin(kind: number, size: number, id: Uint8Array): number {
    this.act(showBegin(kind, size, id));
    return this.state.fails || this.state.resumes;
  }

  write(bytes: Uint8Array): number {
    if (bytes.length === 0) throw new Error("ota_write of nothing");
    if (this.state.fails) return this.state.fails;
    const taken = Math.min(bytes.length, this.state.takes);
    this.state.takes -= taken;
    if (taken > 0) this.act("takes", bytes.subarray(0, taken));
    return taken;
  }

  verify(algorithm: number, hex: Uint8Array): number {
    return this.end(showVerify(algorithm, hex), this.state.verdict);
  }

  commit(): number {
    return this.end("is committed", 1);
  }

  abort(): number {
    this.act("is dropped");
    return Status.Ok;
  }

  bootState(): number {
    return this.state.boots;
  }

  confirm(): number {
    return this.end("is confirmed", 1);
  }

  /** Work that goes on beside the client: 0 while the slot is busy. */
  private end(text: string, result: number): number {
    if (this.state.busy) return 0;
    this.act(text);
    return this.state.fails || result;
  }
}

function nameOf(table: Record<string, number>, value: number): string {
  return Object.entries(table).find(([, each]) => each === value)?.[0] ?? String(value);
}
