// Shows a state that changes: redrawn in place on a terminal, as plain lines elsewhere.

import { paint as colors } from "../cli/paint.ts";

export interface LiveView {
  /** Something happened: a line for the record. */
  log(line: string): void;
  /** The present state, a few lines. */
  show(lines: readonly string[]): void;
  /** Leaves the last state on the screen. */
  end(): void;
}

const LOG_LINES_MAX = 8;
/** For terminals that do not say, such as one that a container was given without a size. */
const COLUMNS = 80;
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const ERASE_BELOW = "\x1b[0J";

export function liveView(output: NodeJS.WriteStream = process.stdout): LiveView {
  return output.isTTY ? terminalView(output) : plainView(output);
}

/** Lines as they come; the state is not repeated, because each change of it is a line already. */
function plainView(output: NodeJS.WritableStream): LiveView {
  return { log: (line) => output.write(`${line}\n`), show: () => {}, end: () => {} };
}

function terminalView(output: NodeJS.WriteStream): LiveView {
  const log: string[] = [];
  let state: readonly string[] = [];
  let drawn = 0;
  let due: NodeJS.Immediate | undefined;
  const width = (): number => (output.columns || COLUMNS) - 1;
  const showCursor = (): void => { output.write(SHOW_CURSOR); };
  // Also when the program ends in a hurry.
  process.once("exit", showCursor);
  const clip = (line: string): string => {
    // Escape sequences take no columns.
    let columns = width();
    return line.replace(/(\x1b\[[0-9;]*m)|[^\x1b]/gu, (part, escape: string | undefined) => (escape !== undefined || columns-- > 0 ? part : ""));
  };
  const draw = (): void => {
    due = undefined;
    const lines = [...state, colors.dim("─".repeat(Math.min(60, width()))), ...log].map(clip);
    const up = drawn > 0 ? `\x1b[${drawn}A\r` : HIDE_CURSOR;
    output.write(`${up}${ERASE_BELOW}${lines.join("\n")}\n`);
    drawn = lines.length;
  };
  const redraw = (): void => {
    // One drawing for everything that one turn of the event loop changed.
    due ??= setImmediate(draw);
  };
  return {
    log(line) {
      log.push(line);
      if (log.length > LOG_LINES_MAX) log.shift();
      redraw();
    },
    show(lines) {
      state = lines;
      redraw();
    },
    end() {
      clearImmediate(due);
      draw();
      process.off("exit", showCursor);
      showCursor();
    },
  };
}
