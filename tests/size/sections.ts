// Reads the sizes of the function bodies from a wasm binary.

const CODE_SECTION = 10;

/** Bytes of each function body, in order, its own length field not counted. */
export function functionBodies(wasm: Uint8Array): number[] {
  if (wasm.length < 8 || wasm[0] !== 0 || wasm[1] !== 0x61) throw new Error("not a wasm binary");
  const cursor = { at: 8 };
  while (cursor.at < wasm.length) {
    const section = wasm[cursor.at++];
    const length = readLength(wasm, cursor);
    if (section !== CODE_SECTION) {
      cursor.at += length;
      continue;
    }
    return Array.from({ length: readLength(wasm, cursor) }, () => {
      const bytes = readLength(wasm, cursor);
      cursor.at += bytes;
      return bytes;
    });
  }
  return [];
}

/** An unsigned LEB128 number of 32 bits. */
function readLength(wasm: Uint8Array, cursor: { at: number }): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = wasm[cursor.at++];
    if (byte === undefined) throw new Error("the binary ends too early");
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw new Error("a number is too long");
}
