// How the command ends: its exit codes, and errors that say what to do.

export const ExitCode = { Ok: 0, Failed: 1, Usage: 2, NotConnected: 3, NotBuilt: 4 } as const;

/** Ends the command with a message of one line, and what to do about it. */
export class CommandError extends Error {
  constructor(readonly exitCode: number, message: string, readonly hint = "") {
    super(message);
  }
}

/** Resolves when the user wants the end: Ctrl-C, SIGTERM from whoever started the command, or nobody reads it any more. */
export function interrupted(): Promise<void> {
  return new Promise((resolve, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
    process.stdout.on("error", (error: NodeJS.ErrnoException) => (error.code === "EPIPE" ? resolve() : reject(error)));
  });
}
