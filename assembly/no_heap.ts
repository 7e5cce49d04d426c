// A runtime that cannot allocate: whatever reaches it does not compile. Used by `npm run check`, never shipped.

// @ts-ignore: decorator
@unsafe @global
function __alloc(size: usize): usize {
  ERROR("the client module has no heap");
  return size;
}

// @ts-ignore: decorator
@unsafe @global
function __realloc(block: usize, size: usize): usize {
  ERROR("the client module has no heap");
  return block + size;
}

// @ts-ignore: decorator
@unsafe @global
function __free(block: usize): void {
  ERROR("the client module has no heap");
}

// @ts-ignore: decorator
@unsafe @global
function __new(size: usize, id: u32): usize {
  ERROR("the client module has no heap");
  return size + id;
}

// @ts-ignore: decorator
@unsafe @global
function __renew(block: usize, size: usize): usize {
  ERROR("the client module has no heap");
  return block + size;
}
