// Runs the demo device as the C program of one engine, and reads the lines that it writes.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Status } from "../../build/generated/abi.ts";
import { statusText } from "../node/errors.ts";
import type { DemoDevice, DemoEvent } from "./demo.ts";
import { CommandError, ExitCode } from "./exit.ts";
import { builtFile } from "./paths.ts";

/** How long the program may take to disconnect before it is killed. */
const STOP_MS_MAX = 10_000;

export interface NativeOptions {
  readonly engine: "wasm3" | "aot";
  readonly arguments: readonly string[];
  readonly onEvent: (event: DemoEvent) => void;
  /** The program ended by itself. */
  readonly onExit: (error: CommandError) => void;
}

/** What the program could not do, in its words and in those of the table. */
function describe({ status, text }: DemoEvent): string {
  return `${String(status)}: ${String(text)} (${statusText((Status as Readonly<Record<string, number>>)[String(status)] ?? 0)})`;
}

export function startNative(options: NativeOptions): DemoDevice {
  const program = builtFile(`c/mote-device-${options.engine}`, "npm run build");
  // In a group of its own, so that Ctrl-C reaches it once, from here.
  const child = spawn(program, [...options.arguments, "--json"], { stdio: ["ignore", "pipe", "pipe"], detached: true });
  let isStopping = false;
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => { complaint = (complaint + text).slice(-2000); });
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    let event: DemoEvent;
    try {
      event = JSON.parse(line) as DemoEvent;
    } catch {
      event = { event: "Output", line };
    }
    if (event.event === "Error") complaint = describe(event);
    options.onEvent(event);
  });
  const ended = new Promise<void>((resolve) => {
    child.on("error", (error) => {
      resolve();
      options.onExit(new CommandError(ExitCode.Failed, `cannot run ${program}: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      resolve();
      if (isStopping) return;
      const status = code ?? ExitCode.Failed;
      options.onExit(new CommandError(status === 0 ? ExitCode.Failed : status,
        complaint.trim() || `the device program ended with ${signal ?? `exit code ${code}`}`));
    });
  });
  const killed = (): void => { child.kill("SIGKILL"); };
  process.once("exit", killed);
  return {
    async stop(): Promise<void> {
      isStopping = true;
      child.kill("SIGTERM");
      const timer = setTimeout(killed, STOP_MS_MAX);
      await ended;
      clearTimeout(timer);
      process.off("exit", killed);
    },
  };
}
