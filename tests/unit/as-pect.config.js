// Tells as-pect which specs to run, and is their host: imports of `mote` whose answers a spec scripts through the imports of `test`, which host.ts declares.

import Module from "node:module";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

// asc finds a transform of its configuration only among packages, so the top of the project becomes a place where it looks for them.
process.env.NODE_PATH = fileURLToPath(new URL("../../", import.meta.url));
Module._initPaths();

/** The CRC-32 by which gzip ends, in front of the length. */
const crc32 = (bytes) => gzipSync(bytes).subarray(-8).readUInt32LE();

/** One host for each spec: what the network answers, what it was given, and the clock. */
function createHost() {
  const host = { memory: undefined, binary: undefined };
  let clock = 0n;
  let random = 0;
  let opens = 0;
  let closes = 0;
  let openAnswer = 1;
  let lastOpen = { name: new Uint8Array(0), port: 0, flags: 0 };
  let state = 0;
  let room = -1;
  let arriving = [];
  let receiveEnd = 0;
  let sent = [];
  // What the functions of the image slot answer from now on, in the order of host.ts; ota_write takes so many bytes, or all.
  const image = [0, -1, 1, 1, 0, 0, 1];
  let imageCalls = "";
  // The journal: none at first. What is programmed or erased, byte by byte, needs power.
  let flash = new Uint8Array(0);
  let eraseSize = 256;
  let programSize = 4;
  let power = Infinity;
  let isBusy = false;
  let busyEvery = false;
  const work = (act) => {
    isBusy = busyEvery && !isBusy;
    return isBusy ? 0 : act();
  };
  const answer = (place, name) => {
    imageCalls += `${name} `;
    return image[place];
  };

  const bytes = (from, length) => new Uint8Array(host.memory.buffer).subarray(from, from + length);
  host.mote = {
    net_open(name, length, port, flags) {
      opens++;
      lastOpen = { name: bytes(name, length).slice(), port, flags };
      return openAnswer;
    },
    net_state: () => state,
    net_send(_handle, from, length) {
      if (room < -1) return room;
      const taken = room === -1 ? length : Math.min(length, room);
      if (room > 0) room -= taken;
      sent.push(...bytes(from, taken));
      return taken;
    },
    net_recv(_handle, to, capacity) {
      const read = arriving.splice(0, capacity);
      bytes(to, read.length).set(read);
      return read.length > 0 || capacity === 0 ? read.length : receiveEnd;
    },
    net_close: () => { closes++; },
    now_ms: () => clock,
    random_u32: () => random,
    store_info: (_area, what) => [flash.length, eraseSize, programSize][what],
    store_read: (_area, offset, to, length) => work(() => {
      bytes(to, length).set(flash.subarray(offset, offset + length));
      return length;
    }),
    store_program: (_area, offset, from, length) => work(() => {
      if (offset % programSize !== 0 || length % programSize !== 0) return -6;
      const written = bytes(from, length);
      for (let index = 0; index < length; index++) {
        if (power-- <= 0) return -19;
        if (flash[offset + index] !== 0xff) return -6; // not erased: programmed a second time
        flash[offset + index] = written[index];
      }
      return length;
    }),
    store_erase: (_area, offset) => work(() => {
      if (offset % eraseSize !== 0) return -6;
      for (let index = 0; index < eraseSize; index++) {
        if (power-- <= 0) return -19;
        flash[offset + index] = 0xff;
      }
      return eraseSize;
    }),
    store_sync: () => work(() => 1),
    ota_begin: (kind, size, id, length) => answer(0, `begin ${kind} ${size} ${Buffer.from(bytes(id, length)).toString("latin1").replaceAll("\n", "/")}`),
    ota_write: (_from, length) => {
      const taken = answer(1, `write ${length}`);
      return taken < 0 && taken !== -1 ? taken : taken === -1 ? length : Math.min(taken, length);
    },
    ota_verify: (algorithm, hex, length) => answer(2, `verify ${algorithm} ${Buffer.from(bytes(hex, length)).toString("latin1")}`),
    ota_commit: () => answer(3, "commit"),
    ota_abort: () => answer(4, "abort"),
    ota_boot_state: () => image[5],
    ota_confirm: () => answer(6, "confirm"),
  };
  host.test = {
    set_store(size, erase, program) {
      flash = new Uint8Array(size).fill(0xff);
      [eraseSize, programSize] = [erase, program];
    },
    set_power: (count) => { power = count < 0 ? Infinity : count; },
    set_busy: (value) => { busyEvery = value !== 0; },
    store_at: (offset) => flash[offset],
    set_store_at: (offset, value) => { flash[offset] = value; },
    store_checksum: (from, length) => crc32(flash.subarray(from, from + length)),
    set_clock: (ms) => { clock = ms; },
    set_random: (value) => { random = value; },
    set_open_answer: (answer) => { openAnswer = answer; },
    set_state: (answer) => { state = answer; },
    set_room: (count) => { room = count; },
    set_receive_end: (status) => { receiveEnd = status; },
    arrive: (from, length) => { arriving.push(...bytes(from, length)); },
    discard: () => { arriving = []; },
    take_sent(to) {
      bytes(to, sent.length).set(sent);
      const { length } = sent;
      sent = [];
      return length;
    },
    set_image: (place, value) => { image[place] = value; },
    // The calls since the last time, each with a space behind it.
    take_image_calls(to) {
      const text = Buffer.from(imageCalls, "latin1");
      bytes(to, text.length).set(text);
      imageCalls = "";
      return text.length;
    },
    opens: () => opens,
    closes: () => closes,
    open_name(to) {
      bytes(to, lastOpen.name.length).set(lastOpen.name);
      return lastOpen.name.length;
    },
    // A second instance of the spec, whose tests do not run: its function `inFresh` gets the bytes and leaves others in their place.
    fresh(at, size, argument) {
      const imports = {};
      for (const { module, name } of WebAssembly.Module.imports(host.binary)) (imports[module] ??= {})[name] = () => 0;
      Object.assign(imports.mote ??= {}, { now_ms: () => 0n });
      const { exports } = new WebAssembly.Instance(host.binary, imports);
      exports._start();
      const its = () => new Uint8Array(exports.memory.buffer).subarray(at, at + size);
      its().set(bytes(at, size));
      const result = exports.inFresh(argument);
      bytes(at, size).set(its());
      return result;
    },
    open_port: () => lastOpen.port,
    open_flags: () => lastOpen.flags,
  };
  return host;
}

export default {
  entries: ["tests/unit/**/*.spec.ts"],
  include: ["tests/unit/**/*.include.ts"],
  disclude: [/node_modules/],
  outputBinary: false,
  async instantiate(memory, createImports, instantiate, binary) {
    const host = createHost();
    const module = await instantiate(binary, createImports({ env: { memory }, mote: host.mote, test: host.test }));
    host.memory = module.exports.memory;
    host.binary = new WebAssembly.Module(binary);
    return module;
  },
};
