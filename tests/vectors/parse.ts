// Reads vector files: Markdown in which each heading of the second level is one case. The grammar is in tests/README.md.

export type Profile = "minimal" | "device" | "gateway";

export interface Line {
  /** Line of the file, for messages. */
  number: number;
  keyword: string;
  text: string;
  /** Bytes in hex that stand below the line. */
  hex: string | undefined;
}

/** Something that happens, and what is expected to follow before the next thing happens. */
export interface Step {
  input: Line;
  /** More packets of the same piece of the stream. */
  also: Line[];
  expected: Line[];
}

export interface Vector {
  file: string;
  title: string;
  line: number;
  profiles: Profile[];
  /** Merged over the default; null removes a key. */
  config: Record<string, unknown>;
  steps: Step[];
}

const INPUTS = ["given", "device", "server sends", "link", "time passes", "counter", "image"];
const OUTPUTS = ["answer", "event", "device sends", "device opens", "device closes", "the image"];

export function parseVectors(file: string, markdown: string): Vector[] {
  const lines = markdown.split("\n");
  const vectors: Vector[] = [];
  let vector: Vector | undefined;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const fail = (why: string): never => {
      throw new Error(`${file}:${at + 1}: ${why}`);
    };
    if (line.startsWith("## ")) {
      vector = { file, title: line.slice(3).trim(), line: at + 1, profiles: ["minimal", "device"], config: {}, steps: [] };
      if (vectors.some((each) => each.title === vector!.title)) fail(`a second case is called "${vector.title}"`);
      vectors.push(vector);
    }
    const fence = /^```(\w+)(?: (.*))?$/.exec(line);
    if (!fence) continue;
    if (!vector) return fail("a block before the first case");
    const from = ++at;
    while (at < lines.length && lines[at] !== "```") at++;
    if (at === lines.length) fail("the block has no end");
    const block = lines.slice(from, at);
    if (fence[1] === "config") {
      vector.config = { ...vector.config, ...(JSON.parse(block.join("\n")) as Record<string, unknown>) };
    } else if (fence[1] === "log") {
      if (fence[2]) vector.profiles = fence[2].split(" ") as Profile[];
      vector.steps.push(...parseLog(file, block, from + 1));
    } else fail(`a block of unknown kind ${fence[1]}`);
  }
  for (const each of vectors) if (each.steps.length === 0) throw new Error(`${file}:${each.line}: "${each.title}" has no log`);
  return vectors;
}

function parseLog(file: string, block: string[], first: number): Step[] {
  const steps: Step[] = [];
  let last: Line | undefined;
  block.forEach((text, index) => {
    const number = first + index;
    if (text.trim() === "") return;
    if (/^\s+[0-9a-f]{2}( [0-9a-f]{2})*$/.test(text)) {
      if (!last) throw new Error(`${file}:${number}: hex below nothing`);
      last.hex = `${last.hex ? `${last.hex} ` : ""}${text.trim()}`;
      return;
    }
    const found = /^\s*([a-z ]+): ?(.*)$/.exec(text);
    const keyword = found?.[1] ?? "";
    last = { number, keyword, text: found?.[2]?.trim() ?? "", hex: undefined };
    const step = steps.at(-1);
    if (INPUTS.includes(keyword)) steps.push({ input: last, also: [], expected: [] });
    else if (keyword === "and") {
      if (step?.input.keyword !== "server sends" || step.expected.length > 0) throw new Error(`${file}:${number}: "and" belongs below "server sends"`);
      step.also.push(last);
    }
    else if (!OUTPUTS.includes(keyword)) throw new Error(`${file}:${number}: not a line of a log: ${text}`);
    else if (!step) throw new Error(`${file}:${number}: nothing has happened yet`);
    else step.expected.push(last);
  });
  return steps;
}
