// What the examples of this folder are given: where to connect, when to end, and where their lines go.

import type { Configuration } from "../../../host/node/index.ts";

export interface Stage {
  readonly configuration: Configuration;
  /** Ends an example that would go on for ever. */
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

export type Example = (stage: Stage) => Promise<void>;

/** Resolves when the example is interrupted. */
export function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
