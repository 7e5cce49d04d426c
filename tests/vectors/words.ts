// Cuts a line of a vector into words: bare ones, quoted text, JSON in braces, `300 x "a"` and `hex(00 ff)`.

export interface Word {
  kind: "bare" | "text" | "json" | "bytes";
  /** What stands in the file. */
  raw: string;
  /** What it means; for `bare` and `json` the text itself. */
  value: Buffer;
}

export function cutWords(line: string): Word[] {
  const words: Word[] = [];
  let at = 0;
  while (at < line.length) {
    if (line[at] === " ") {
      at++;
      continue;
    }
    const rest = line.slice(at);
    const repeat = /^(\d+) x ("(?:\\.|[^"\\])*")/.exec(rest);
    const quoted = /^"(?:\\.|[^"\\])*"/.exec(rest);
    const hex = /^hex\(([0-9a-f ]*)\)/.exec(rest);
    let word: Word;
    if (repeat) word = { kind: "bytes", raw: repeat[0], value: Buffer.from((JSON.parse(repeat[2]!) as string).repeat(Number(repeat[1]))) };
    else if (quoted) word = { kind: "text", raw: quoted[0], value: Buffer.from(JSON.parse(quoted[0]) as string) };
    else if (hex) word = { kind: "bytes", raw: hex[0], value: Buffer.from(hex[1]!.replaceAll(" ", ""), "hex") };
    else if (rest[0] === "{" || rest[0] === "[") {
      const raw = rest.slice(0, jsonEnd(rest));
      word = { kind: "json", raw, value: Buffer.from(raw) };
    } else {
      const raw = /^[^ ]+/.exec(rest)![0];
      word = { kind: "bare", raw, value: Buffer.from(raw) };
    }
    words.push(word);
    at += word.raw.length;
  }
  return words;
}

/** Where the object or array that begins the text ends, by counting brackets outside of strings. */
function jsonEnd(text: string): number {
  let depth = 0;
  for (const match of text.matchAll(/"(?:\\.|[^"\\])*"|[[\]{}]/g)) {
    if (match[0] === "{" || match[0] === "[") depth++;
    else if (match[0] === "}" || match[0] === "]") depth--;
    if (depth === 0) return match.index + match[0].length;
  }
  throw new Error(`JSON without an end: ${text}`);
}

/** Writes bytes the way a vector would: JSON as it is, text in quotes, long repetitions counted, the rest in hex. */
export function showBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes);
  const text = buffer.toString("utf8");
  if (!Buffer.from(text).equals(buffer) || /[\u0000-\u0008\u000e-\u001f\u007f]/.test(text)) return `hex(${hexOf(buffer)})`;
  if (/^[{[]/.test(text) && !/[\n\r\t]/.test(text) && isBalancedJson(text)) return text;
  if (text.length > 40 && text === text[0]!.repeat(text.length)) return `${text.length} x ${JSON.stringify(text[0])}`;
  return JSON.stringify(text);
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex").replace(/(..)(?=.)/g, "$1 ");
}

function isBalancedJson(text: string): boolean {
  try {
    JSON.parse(text);
    return jsonEnd(text) === text.length;
  } catch {
    return false;
  }
}
