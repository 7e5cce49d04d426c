// How the command ends: its exit codes, and errors that say what to do.

export const ExitCode = { Ok: 0, Failed: 1, Usage: 2, NotConnected: 3, NotBuilt: 4 } as const;

/** Ends the command with a message of one line, and what to do about it. */
export class CommandError extends Error {
  constructor(readonly exitCode: number, message: string, readonly hint = "") {
    super(message);
  }
}

/** As a shell tells of a program that a signal has ended. */
export const BY_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Resolves when the user wants the end: Ctrl-C, SIGTERM from whoever started the command, or nobody reads it any more. The second time
 * the program ends at once, and what it has started with it.
 */
export function interrupted(): Promise<void> {
  return new Promise((resolve, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(BY_SIGNAL[signal]));
        resolve();
      });
    }
    process.stdout.on("error", (error: NodeJS.ErrnoException) => (error.code === "EPIPE" ? resolve() : reject(error)));
  });
}
