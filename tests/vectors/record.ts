// Lays out the packed message record of ABI.md, section 7, from the JSON text of a vector, number texts kept as written.

import { Member, MemberField } from "../../build/generated/abi.ts";

const STRING = /"(?:\\.|[^"\\])*"/y;

/** The record of one JSON value. */
export function packJson(json: string): Buffer {
  const reader = new Reader(json);
  const parts: Buffer[] = [];
  reader.value(parts, "");
  reader.end();
  return Buffer.concat(parts);
}

/** One member; `digits` are those behind the point of a Decimal. */
export function packMember(type: number, key: string, body: bigint | Buffer = 0n, digits = 0): Buffer {
  const head = Buffer.alloc(MemberField.Key);
  head[MemberField.Type] = type;
  head[MemberField.Digits] = digits;
  head.writeUInt16LE(Buffer.byteLength(key), MemberField.KeyLength);
  head.writeBigInt64LE(typeof body === "bigint" ? body : BigInt(body.length), MemberField.Number);
  return Buffer.concat([head, pad(Buffer.from(key)), typeof body === "bigint" ? Buffer.alloc(0) : pad(body)]);
}

/** Padding may be anything; 0xAA shows when somebody reads it. */
function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3, 0xaa)]);
}

/** A JSON reader that keeps number texts, which JSON.parse does not. */
class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(parts: Buffer[], key: string): void {
    const first = this.peek();
    if (first === "{") this.object(parts, key);
    else if (first === "[") this.array(parts, key);
    else if (first === '"') parts.push(packMember(Member.Text, key, Buffer.from(JSON.parse(this.match(STRING)) as string)));
    else parts.push(this.scalar(key, this.match(/[\w+.-]+/y)));
  }

  end(): void {
    if (this.peek() !== "") throw new Error(`text behind the JSON: ${this.text}`);
  }

  private object(parts: Buffer[], key: string): void {
    parts.push(packMember(Member.ObjectBegin, key));
    this.expect("{");
    if (!this.accept("}")) {
      do {
        const name = JSON.parse(this.match(STRING)) as string;
        this.expect(":");
        this.value(parts, name);
      } while (this.accept(","));
      this.expect("}");
    }
    parts.push(packMember(Member.End, ""));
  }

  private array(parts: Buffer[], key: string): void {
    parts.push(packMember(Member.ArrayBegin, key));
    this.expect("[");
    if (!this.accept("]")) {
      do this.value(parts, "");
      while (this.accept(","));
      this.expect("]");
    }
    parts.push(packMember(Member.End, ""));
  }

  private scalar(key: string, text: string): Buffer {
    if (text === "null") return packMember(Member.Null, key);
    if (text === "true") return packMember(Member.True, key);
    if (text === "false") return packMember(Member.False, key);
    const number = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
    if (!number) throw new Error(`a vector writes numbers without exponent: ${text}`);
    const digits = number[3] ?? "";
    const mantissa = BigInt(`${number[1]}${number[2]}${digits}`);
    return packMember(digits === "" ? Member.Integer : Member.Decimal, key, mantissa, digits.length);
  }

  private peek(): string {
    while (/\s/.test(this.text[this.at] ?? "")) this.at++;
    return this.text[this.at] ?? "";
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
