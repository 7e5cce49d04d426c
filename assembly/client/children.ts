// Keeps the children that a gateway speaks for, and which of them the server knows in this session.
//
//   entry  0  u16 bytes of the document; the highest bit: the server knows the child
//          2  the document that announces the child; NAME_OFFSET bytes on stands its name
import { equals } from "../base/text";
import { carve } from "../memory";
import { Limit, spend } from "./limits";

const HEAD: usize = 2;
const NAME_OFFSET: usize = 11;
/** The longest document. */
export const DOCUMENT_MAX: i32 = 0x7fff;
const IS_KNOWN: i32 = 0x80;

export let base: usize = 0;
export let tail: usize = 0;

export function carveTable(size: usize): void {
  base = tail = carve(size);
}

/** The document of an entry, and its length. */
// @ts-ignore: decorator
@inline
export function documentOf(entry: usize): usize {
  return entry + HEAD;
}

export function lengthOf(entry: usize): i32 {
  return load<u16>(entry) & DOCUMENT_MAX;
}

/** What an entry takes of the table for a document of this length. */
// @ts-ignore: decorator
@inline
export function sizeFor(length: i32): usize {
  return <usize>length + HEAD;
}

export function after(entry: usize): usize {
  return entry + HEAD + lengthOf(entry);
}

/** The entry of a child, or 0. A quote follows the name. */
export function find(name: usize, length: i32): usize {
  for (let entry = base; entry < tail; entry = after(entry)) {
    // Names are written in one way only, and no name with its quote is the beginning of another one.
    if (equals(entry + HEAD + NAME_OFFSET, name, length + 1)) return entry;
  }
  return 0;
}

export function remove(entry: usize): void {
  const next = after(entry);
  memory.copy(entry, next, tail - next);
  tail -= next - entry;
}

/** Adds a child that the server does not know yet; the caller has looked whether there is room. */
// @ts-ignore: decorator
@inline
export function add(document: usize, length: i32): void {
  store<u16>(tail, length);
  memory.copy(tail + HEAD, document, length);
  tail += <usize>length + HEAD;
}

/** A message names a child: 1 when the server opens a session for it because of that, else 0; with `introduces` the server knows it from now on. */
// @ts-ignore: decorator
@inline
export function isStranger(name: usize, length: i32, introduces: i32): i32 {
  const entry = find(name, length);
  if (!entry) return 1;
  const flags: i32 = load<u8>(entry, 1);
  store<u8>(entry, flags | introduces << 7, 1);
  return <i32>(flags < IS_KNOWN);
}

/** A session begins: the server has forgotten all children, and counts the end of each. */
export function forgetChildren(): void {
  for (let entry = base; entry < tail; entry = after(entry)) {
    const flags: i32 = load<u8>(entry, 1);
    spend(Limit.ChildMessages, flags >> 7);
    store<u8>(entry, flags & ~IS_KNOWN, 1);
  }
}
