// Reads and prints JSON without losing a digit of any number, in strict form and in the lenient form that ThingsBoard's parser (Gson) accepts.

/** A number kept as it was written: 64-bit integers and "1.50" must survive (spec 2.1). */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** Objects are Maps: member order is kept even for names such as "1", and "__proto__" is an ordinary name. */
export type JsonObject = Map<string, Json>;
export type Json = null | boolean | string | JsonNumber | Json[] | JsonObject;

export class JsonError extends Error {}

/** Deeper documents are refused in place of exhausting the stack. */
const maxDepth = 255;

const strictNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const escapes: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", "/": "/" };

export function parseJson(text: string): Json {
  return new Parser(text, false).document();
}

export function isJson(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch (error) {
    if (error instanceof JsonError) return false;
    throw error;
  }
}

/** Gson's lenient dialect: single quotes, bare words, comments, `;` and `=` as separators (spec 2.1). */
export function parseLenientJson(text: string): Json {
  return new Parser(text, true).document();
}

class Parser {
  readonly #text: string;
  readonly #lenient: boolean;
  #at = 0;
  #depth = 0;

  constructor(text: string, lenient: boolean) {
    this.#text = text;
    this.#lenient = lenient;
  }

  document(): Json {
    if (this.#lenient && this.#text.charCodeAt(0) === 0xfeff) this.#at = 1;
    const value = this.#value();
    this.#skip();
    if (this.#at < this.#text.length) this.#fail();
    return value;
  }

  #value(): Json {
    this.#skip();
    const first = this.#text[this.#at];
    if (first === "{") return this.#nested(() => this.#object());
    if (first === "[") return this.#nested(() => this.#array());
    if (first === '"' || (first === "'" && this.#lenient)) return this.#string(first);
    return this.#bareWord();
  }

  #nested(read: () => Json): Json {
    if (++this.#depth > maxDepth) this.#fail();
    this.#at++;
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): JsonObject {
    const object: JsonObject = new Map();
    this.#skip();
    if (this.#take("}")) return object;
    for (;;) {
      const name = this.#name();
      this.#skip();
      if (!this.#take(":")) {
        if (!this.#lenient || !this.#take("=")) this.#fail();
        this.#take(">");
      }
      object.set(name, this.#value());
      this.#skip();
      if (this.#take("}")) return object;
      if (!this.#takeSeparator()) this.#fail();
    }
  }

  #name(): string {
    this.#skip();
    const first = this.#text[this.#at];
    if (first === '"' || (first === "'" && this.#lenient)) return this.#string(first);
    if (!this.#lenient) this.#fail();
    return this.#word();
  }

  #array(): Json[] {
    const array: Json[] = [];
    this.#skip();
    if (this.#take("]")) return array;
    for (;;) {
      this.#skip();
      const next = this.#text[this.#at];
      // Gson reads a missing element as null: "[1,,2]", "[1,]".
      const isMissing = this.#lenient && (next === "," || next === ";" || next === "]");
      array.push(isMissing ? null : this.#value());
      this.#skip();
      if (this.#take("]")) return array;
      if (!this.#takeSeparator()) this.#fail();
    }
  }

  #string(quote: string): string {
    let result = "";
    let from = ++this.#at;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) this.#fail();
      if (char === quote) break;
      if (char < " " && !this.#lenient) this.#fail();
      this.#at++;
      if (char !== "\\") continue;
      result += this.#text.slice(from, this.#at - 1) + this.#escape();
      from = this.#at;
    }
    result += this.#text.slice(from, this.#at++);
    return result;
  }

  #escape(): string {
    const char = this.#text[this.#at++] ?? this.#fail();
    if (char === "u") {
      const digits = this.#text.slice(this.#at, this.#at + 4);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail();
      this.#at += 4;
      return String.fromCharCode(parseInt(digits, 16));
    }
    if (this.#lenient && (char === "'" || char === "\n")) return char;
    return escapes[char] ?? this.#fail();
  }

  #bareWord(): Json {
    const word = this.#word();
    const keyword = this.#lenient ? word.toLowerCase() : word;
    if (keyword === "true") return true;
    if (keyword === "false") return false;
    if (keyword === "null") return null;
    if (strictNumber.test(word)) return new JsonNumber(word);
    // Gson keeps any other bare word as text, NaN and Infinity among them.
    return this.#lenient ? word : this.#fail();
  }

  #word(): string {
    const end = /[/\\;#={}[\]:,\s]/g;
    end.lastIndex = this.#at;
    const word = this.#text.slice(this.#at, end.exec(this.#text)?.index);
    if (word === "") this.#fail();
    this.#at += word.length;
    return word;
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #takeSeparator(): boolean {
    return this.#take(",") || (this.#lenient && this.#take(";"));
  }

  #skip(): void {
    const blank = this.#lenient ? /(?:[ \t\r\n]|\/\/[^\r\n]*|#[^\r\n]*|\/\*[^]*?\*\/)*/y : /[ \t\r\n]*/y;
    blank.lastIndex = this.#at;
    this.#at += blank.exec(this.#text)?.[0].length ?? 0;
  }

  #fail(): never {
    throw new JsonError(`not valid JSON at character ${this.#at}`);
  }
}

/** Compact text, in member order, non-ASCII as it is except U+2028 and U+2029 (spec 2.5). Numbers are left as they were written unless told otherwise. */
export function printJson(json: Json, printNumber = (text: string): string => text): string {
  if (json === null || typeof json === "boolean") return String(json);
  if (typeof json === "string") return printString(json);
  if (json instanceof JsonNumber) return printNumber(json.text);
  if (Array.isArray(json)) return `[${json.map((element) => printJson(element, printNumber)).join(",")}]`;
  return `{${[...json].map(([name, value]) => `${printString(name)}:${printJson(value, printNumber)}`).join(",")}}`;
}

export function printString(text: string): string {
  return JSON.stringify(text).replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
}

/** Ordinary JavaScript values, for callers who prefer ease to the 64th bit. */
export function toPlain(json: Json): unknown {
  if (json instanceof JsonNumber) return Number(json.text);
  if (Array.isArray(json)) return json.map(toPlain);
  if (json instanceof Map) return Object.fromEntries([...json].map(([name, value]) => [name, toPlain(value)]));
  return json;
}
