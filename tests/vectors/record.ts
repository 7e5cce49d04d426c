// Lays out the packed message record of ABI.md, section 7, from the JSON text of a vector, number texts kept as written.

import { Member, MEMBER_HEADER } from "../../build/generated/abi.ts";

/** The record of an object, or of a list of objects with or without `ts` and `values`. */
export function packTelemetry(json: string): Buffer {
  const reader = new Reader(json);
  const parts: Buffer[] = [];
  if (reader.peek() === "{") reader.object(parts);
  else reader.entries(parts);
  reader.end();
  return Buffer.concat(parts);
}

/** One member; `digits` are those behind the point of a Decimal. */
export function packMember(type: number, key: string, body?: bigint | Buffer, digits = 0): Buffer {
  const keyBytes = Buffer.from(key);
  const header = Buffer.alloc(MEMBER_HEADER);
  header[0] = type;
  header[1] = digits;
  header.writeUInt16LE(keyBytes.length, 2);
  const parts: Uint8Array[] = [header];
  if (typeof body === "bigint") {
    const number = Buffer.alloc(8);
    number.writeBigInt64LE(body);
    parts.push(number);
  } else if (body) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    parts.push(length);
  }
  parts.push(pad(keyBytes));
  if (body && typeof body !== "bigint") parts.push(pad(body));
  return Buffer.concat(parts);
}

export function packTimestamp(ts: bigint): Buffer {
  return packMember(Member.Timestamp, "", ts);
}

/** Padding may be anything; 0xAA shows when somebody reads it. */
function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3, 0xaa)]);
}

/** A JSON reader that keeps number texts, which JSON.parse does not. */
class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  peek(): string {
    while (/\s/.test(this.text[this.at] ?? "")) this.at++;
    return this.text[this.at] ?? "";
  }

  end(): void {
    if (this.peek() !== "") throw new Error(`text behind the JSON: ${this.text}`);
  }

  object(parts: Buffer[]): void {
    this.expect("{");
    if (this.accept("}")) return;
    do {
      const key = JSON.parse(this.match(/"(?:\\.|[^"\\])*"/y)) as string;
      this.expect(":");
      this.value(parts, key);
    } while (this.accept(","));
    this.expect("}");
  }

  entries(parts: Buffer[]): void {
    this.expect("[");
    do {
      const stamped = /\s*\{\s*"ts"\s*:\s*(-?\d+)\s*,\s*"values"\s*:/y;
      stamped.lastIndex = this.at;
      const found = stamped.exec(this.text);
      if (found) {
        this.at = stamped.lastIndex;
        parts.push(packTimestamp(BigInt(found[1]!)));
        this.object(parts);
        this.expect("}");
      } else {
        parts.push(packMember(Member.Entry, ""));
        this.object(parts);
      }
    } while (this.accept(","));
    this.expect("]");
  }

  private value(parts: Buffer[], key: string): void {
    const first = this.peek();
    if (first === "{") {
      parts.push(packMember(Member.ObjectBegin, key));
      this.object(parts);
      parts.push(packMember(Member.End, ""));
    } else if (first === "[") {
      parts.push(packMember(Member.ArrayBegin, key));
      this.expect("[");
      if (!this.accept("]")) {
        do this.value(parts, "");
        while (this.accept(","));
        this.expect("]");
      }
      parts.push(packMember(Member.End, ""));
    } else if (first === '"') {
      parts.push(packMember(Member.Text, key, Buffer.from(JSON.parse(this.match(/"(?:\\.|[^"\\])*"/y)) as string)));
    } else {
      parts.push(this.scalar(key, this.match(/[\w+.-]+/y)));
    }
  }

  private scalar(key: string, text: string): Buffer {
    if (text === "null") return packMember(Member.Null, key);
    if (text === "true") return packMember(Member.True, key);
    if (text === "false") return packMember(Member.False, key);
    const number = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
    if (!number) throw new Error(`a vector writes numbers without exponent: ${text}`);
    const digits = number[3] ?? "";
    const mantissa = BigInt(`${number[1]}${number[2]}${digits}`);
    return digits === "" ? packMember(Member.Integer, key, mantissa) : packMember(Member.Decimal, key, mantissa, digits.length);
  }

  private match(pattern: RegExp): string {
    this.peek();
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) throw new Error(`not JSON at ${this.at}: ${this.text}`);
    this.at = pattern.lastIndex;
    return found[0];
  }

  private accept(character: string): boolean {
    if (this.peek() !== character) return false;
    this.at++;
    return true;
  }

  private expect(character: string): void {
    if (!this.accept(character)) throw new Error(`${character} expected at ${this.at}: ${this.text}`);
  }
}
