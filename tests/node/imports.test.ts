// The imports of the groups store and ota: what crosses the seam is checked against the memory that the module was given.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NetState, OtaBootState, OtaKind, Status, StoreArea, StoreInfo } from "../../build/generated/abi.ts";
import { bindImports } from "../../host/node/imports.ts";
import { portsOf } from "../../host/node/ports/default.ts";
import type { NetPort } from "../../host/node/ports/port.ts";

const memory = new Uint8Array(64);
const span = (at: number, length: number): Uint8Array | null =>
  (at >= 0 && length >= 0 && at + length <= memory.length ? memory.subarray(at, at + length) : null);
type Call = (...values: number[]) => number;

test("the store reads into and programs from the module's memory", () => {
  const { store_info, store_read, store_program, store_erase, store_sync } = bindImports(portsOf(undefined, {}), span).functions as Record<string, Call>;
  assert.equal(store_info!(StoreArea.Journal, StoreInfo.EraseSize), 4096);
  memory.set([1, 2, 3, 4], 8);
  assert.equal(store_program!(StoreArea.Journal, 100, 8, 4), 4);
  assert.equal(store_read!(StoreArea.Journal, 100, 60, 4), 4);
  assert.deepEqual([...memory.subarray(60)], [1, 2, 3, 4]);
  assert.deepEqual([store_read!(StoreArea.Journal, 0, 61, 4), store_program!(StoreArea.Journal, 0, 61, 4)], [Status.InvalidValue, Status.InvalidValue]);
  assert.deepEqual([store_erase!(StoreArea.Journal, 0), store_sync!(StoreArea.Journal)], [4096, 1]);
});

test("the image slot copies what it is lent", () => {
  const { ota_begin, ota_write, ota_verify, ota_commit, ota_abort, ota_boot_state, ota_confirm } =
    bindImports(portsOf(undefined, {}), span).functions as Record<string, Call>;
  assert.equal(ota_begin!(OtaKind.Firmware, 8, 0, 4), 0);
  assert.equal(ota_write!(0, 4), 4);
  assert.deepEqual([ota_begin!(OtaKind.Firmware, 8, 62, 4), ota_write!(62, 4), ota_verify!(0, 62, 4)], [-6, -6, -6]);
  assert.equal(ota_begin!(OtaKind.Firmware, 8, 0, 4), 4);
  assert.deepEqual([ota_commit!(), ota_abort!(), ota_boot_state!(), ota_confirm!()], [Status.BadState, Status.Ok, OtaBootState.Normal, 1]);
});

test("without ports of these groups a module that imports them is told so by their absence", () => {
  const { net, clock } = portsOf(undefined, {});
  const names = Object.keys(bindImports({ net, clock }, span).functions);
  assert.deepEqual(names.filter((name) => /^(store|ota)_/.test(name)), []);
});

test("what the module has of a connection is what it was told of it", () => {
  let state: number = NetState.Connecting;
  const net = { ...portsOf(undefined, {}).net, open: () => 1, state: () => state, close: () => {} } as unknown as NetPort;
  const bound = bindImports({ net, clock: portsOf(undefined, {}).clock }, span);
  const { net_open, net_state, net_close } = bound.functions as Record<string, Call>;
  const told = (next: number): string => {
    state = next;
    assert.equal(net_state!(1), next);
    return bound.link();
  };
  assert.equal(bound.link(), "none");
  for (const round of [1, 2]) {
    assert.equal(net_open!(0, 4, 1883, 0), 1);
    assert.equal(bound.link(), "opening", `connection ${round}`);
    assert.deepEqual([told(NetState.Connecting), told(NetState.Open), told(NetState.Flushing), told(Status.ConnectionReset)], ["opening", "open", "open", "opening"]);
    assert.equal(told(NetState.Open), "open");
    net_close!(1);
    assert.equal(bound.link(), "none");
  }
});
