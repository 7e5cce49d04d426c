// How the command ends: its exit codes, and errors that say what to do.

export const ExitCode = { Ok: 0, Failed: 1, Usage: 2, NotConnected: 3, NotBuilt: 4 } as const;

/** Ends the command with a message of one line, and what to do about it. */
export class CommandError extends Error {
  constructor(readonly exitCode: number, message: string, readonly hint = "") {
    super(message);
  }
}

/** The signals that end a program, and as what exit code a shell tells of it. */
export const BY_SIGNAL = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
export type EndingSignal = keyof typeof BY_SIGNAL;
export const ENDING_SIGNALS = Object.keys(BY_SIGNAL) as EndingSignal[];

/** Whether writing failed because nobody reads any more: the pipe is closed, or the terminal is gone. */
export function isUnread({ code }: NodeJS.ErrnoException): boolean {
  return code === "EPIPE" || code === "EIO";
}

/**
 * Resolves when the user wants the end: Ctrl-C, SIGTERM from whoever started the command, or nobody reads it any more. The second time
 * the program ends at once, and what it has started with it; but of a terminal that goes away both the system and the shell tell.
 */
export function interrupted(): Promise<void> {
  return new Promise((resolve, reject) => {
    for (const signal of ENDING_SIGNALS) {
      let isSecond = false;
      // One listener that stays: between one that is removed and the next, the signal would end the program as it does by default.
      process.on(signal, () => {
        if (isSecond && signal !== "SIGHUP") process.exit(BY_SIGNAL[signal]);
        isSecond = true;
        resolve();
      });
    }
    process.stdout.on("error", (error: NodeJS.ErrnoException) => (isUnread(error) ? resolve() : reject(error)));
  });
}
