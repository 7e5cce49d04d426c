// Writes bytes forward through one bounded place at a time.
//
// The cursor keeps counting past its limit but writes nothing there: one check at the end replaces a check after each
// write, and what was counted is the number of bytes needed.

/** Where the next byte goes. */
export let at: usize = 0;
/** The first address that must not be written. */
export let limit: usize = 0;

/** Begins writing at `from`; nothing is written at or above `to`. */
// @ts-ignore: decorator
@inline
export function open(from: usize, to: usize): void {
  at = from;
  limit = to;
}

/** Sets the limit alone, where something else says from where to write. */
// @ts-ignore: decorator
@inline
export function limitTo(to: usize): void {
  limit = to;
}

/** True once something did not fit. */
// @ts-ignore: decorator
@inline
export function overflowed(): bool {
  return at > limit;
}

/** Moves the place of the next byte, for what was written without the cursor. */
// @ts-ignore: decorator
@inline
export function moveTo(address: usize): void {
  at = address;
}

export function putByte(value: u32): void {
  if (at < limit) store<u8>(at, value);
  at++;
}

/** Writes 16 bits, high byte first. */
export function putU16(value: u32): void {
  putByte(value >> 8);
  putByte(value);
}

export function putBytes(from: usize, length: i32): void {
  const to = at;
  at = to + length;
  if (at <= limit) memory.copy(to, from, length);
}

/** Writes the bytes of a span: an address, and behind it their number. */
export function putSpan(span: usize): void {
  putBytes(load<u32>(span), load<i32>(span, 4));
}

/** Writes 16 bits where they have their place already, high byte first. */
export function storeU16(address: usize, value: u32): void {
  store<u8>(address, value >> 8);
  store<u8>(address, value, 1);
}
