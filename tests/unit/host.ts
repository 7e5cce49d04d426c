// What a spec says to the host of as-pect.config.js, and texts and bytes in hexadecimal in memory of the spec's own.

/** What `now_ms` answers. */
// @ts-ignore: decorator
@external("test", "set_clock")
export declare function set_clock(ms: i64): void;

/** An erased journal of so many bytes, with its erase and program size; there is none at first. */
// @ts-ignore: decorator
@external("test", "set_store")
export declare function set_store(size: i32, eraseSize: i32, programSize: i32): void;

/** How many bytes can be programmed or erased until the power fails; -1 = all. */
// @ts-ignore: decorator
@external("test", "set_power")
export declare function set_power(count: i32): void;

/** Whether every other call of the store is answered by 0 = busy. */
// @ts-ignore: decorator
@external("test", "set_busy")
export declare function set_busy(value: bool): void;

/** A byte of the journal, and its CRC-32 as zlib computes it. */
// @ts-ignore: decorator
@external("test", "store_at")
export declare function store_at(offset: i32): u8;
// @ts-ignore: decorator
@external("test", "set_store_at")
export declare function set_store_at(offset: i32, value: u8): void;
// @ts-ignore: decorator
@external("test", "store_checksum")
export declare function store_checksum(offset: i32, length: i32): u32;

/** What `random_u32` answers. */
// @ts-ignore: decorator
@external("test", "set_random")
export declare function set_random(value: i32): void;

/** What `net_open` answers; at first 1. */
// @ts-ignore: decorator
@external("test", "set_open_answer")
export declare function set_open_answer(answer: i32): void;

/** What `net_state` answers; at first 0. */
// @ts-ignore: decorator
@external("test", "set_state")
export declare function set_state(answer: i32): void;

/** How many bytes `net_send` takes from now on; -1 = all, at first; below that the Status that it answers. */
// @ts-ignore: decorator
@external("test", "set_room")
export declare function set_room(count: i32): void;

/** What `net_recv` answers once all bytes were read; at first 0. */
// @ts-ignore: decorator
@external("test", "set_receive_end")
export declare function set_receive_end(status: i32): void;

/** Bytes for `net_recv`. */
// @ts-ignore: decorator
@external("test", "arrive")
export declare function arrive(from: usize, length: i32): void;

/** Forgets the bytes that `net_recv` has not read. */
// @ts-ignore: decorator
@external("test", "discard")
export declare function discard(): void;

/** Writes what `net_send` took since the last call to `to`; how many bytes that is. */
// @ts-ignore: decorator
@external("test", "take_sent")
export declare function take_sent(to: usize): i32;

/** How often `net_open` and `net_close` were called. */
// @ts-ignore: decorator
@external("test", "opens")
export declare function opens(): i32;
// @ts-ignore: decorator
@external("test", "closes")
export declare function closes(): i32;

/** The arguments of the last `net_open`; the name is written to `to`. */
// @ts-ignore: decorator
@external("test", "open_name")
export declare function open_name(to: usize): i32;
// @ts-ignore: decorator
@external("test", "open_port")
export declare function open_port(): i32;
// @ts-ignore: decorator
@external("test", "open_flags")
export declare function open_flags(): i32;

/** What a function of the image slot answers from now on, by its place in host.ts: begin, write, verify, commit, abort, boot_state, confirm. */
// @ts-ignore: decorator
@external("test", "set_image")
export declare function set_image(place: i32, answer: i32): void;

/** Writes the calls of the image slot since the last time to `to`, each with a space behind it; how many bytes. */
// @ts-ignore: decorator
@external("test", "take_image_calls")
export declare function take_image_calls(to: usize): i32;

/** Runs the spec's export `inFresh(argument)` in an instance of its own; `size` bytes at `at` go there and come back. Its result. */
// @ts-ignore: decorator
@external("test", "fresh")
export declare function fresh(at: usize, size: i32, argument: i32): i32;

const SCRATCH = memory.data(4096, 8);

/** Writes a text as UTF-8 to `to`; its bytes. */
export function putText(to: usize, text: string): i32 {
  return <i32>String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, to);
}

export function textAt(from: usize, length: i32): string {
  return String.UTF8.decodeUnsafe(from, length);
}

function nibble(code: i32): i32 {
  return code > 0x39 ? (code & 15) + 9 : code & 15;
}

/** Writes bytes that are given as hexadecimal digits with spaces anywhere; how many. */
export function putHex(to: usize, hex: string): i32 {
  let digits = 0;
  for (let index = 0; index < hex.length; index++) {
    const code = hex.charCodeAt(index);
    if (code == 0x20) continue;
    const byte = to + (digits >> 1);
    store<u8>(byte, digits & 1 ? (load<u8>(byte) << 4) | <u8>nibble(code) : <u8>nibble(code));
    digits++;
  }
  return digits >> 1;
}

/** Bytes as hexadecimal digits, a space between each two. */
export function hexAt(from: usize, length: i32): string {
  let hex = "";
  for (let index = 0; index < length; index++) {
    const byte: u32 = load<u8>(from + index);
    if (index) hex += " ";
    hex += (byte >> 4).toString(16) + (byte & 15).toString(16);
  }
  return hex;
}

/** Bytes for `net_recv`, in hexadecimal. */
export function arriveHex(hex: string): void {
  arrive(SCRATCH, putHex(SCRATCH, hex));
}

/** What `net_send` took since the last call, in hexadecimal. */
export function sentHex(): string {
  return hexAt(SCRATCH, take_sent(SCRATCH));
}

/** The calls of the image slot since the last time. */
export function imageCalls(): string {
  return textAt(SCRATCH, take_image_calls(SCRATCH));
}

/** The name that the last `net_open` got. */
export function openName(): string {
  return textAt(SCRATCH, open_name(SCRATCH));
}
