// Prints what happens as lines for people, coloured where that helps.

import { paint as colors } from "./paint.ts";
import type { DemoEvent } from "./demo.ts";

export type Write = (line: string) => void;

/** One line on the standard output; a reader that has gone away is no failure. */
export const writeLine: Write = (line) => {
  process.stdout.write(`${line}\n`);
};

type Paint = (text: string) => string;

const PAINTS: Readonly<Record<string, Paint>> = {
  Connected: colors.green, Delivered: colors.dim, Disconnected: colors.yellow, Unstable: colors.yellow,
  Refused: colors.red, Failed: colors.red, Error: colors.red, Restarted: colors.magenta, RpcRequest: colors.cyan,
};

/** `12:30:01 Telemetry  #3 {"temperature":25.5}` */
export function eventLine({ event, ...members }: DemoEvent, at: Date = new Date()): string {
  const time = colors.dim(at.toTimeString().slice(0, 8));
  const paint = PAINTS[event] ?? ((text: string) => text);
  return `${time} ${paint(event.padEnd(12))} ${describe(event, members)}`.trimEnd();
}

function describe(event: string, members: Readonly<Record<string, unknown>>): string {
  const json = (name: string): string => JSON.stringify(members[name]);
  switch (event) {
    case "Connected": return members["session_present"] ? "the server kept the session" : "";
    case "Telemetry":
    case "Attributes": return `#${members["id"]} ${json("values")}`;
    case "Delivered": return `#${members["id"]}`;
    case "RpcRequest": return `${members["method"]} ${json("params") ?? ""} -> ${json("reply")}`;
    case "Stopped": return `${members["sent"]} sent, ${members["delivered"]} delivered`;
    case "Stored":
    case "Cut":
    case "RPC": return String(members["text"]);
    default: return Object.entries(members).map(([name, value]) => `${name.replaceAll("_", " ")} ${typeof value === "string" ? value : JSON.stringify(value)}`).join(", ");
  }
}
