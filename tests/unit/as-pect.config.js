// Tells as-pect which specs to run and what stands in for the host: imports of `mote` that do nothing, so that no unit test needs one.

const mote = {
  net_open: () => -33,
  net_state: () => -33,
  net_send: () => 0,
  net_recv: () => 0,
  net_close: () => {},
  now_ms: () => 0n,
  random_u32: () => 0,
};

export default {
  entries: ["tests/unit/**/*.spec.ts"],
  include: ["tests/unit/**/*.include.ts"],
  disclude: [/node_modules/],
  outputBinary: false,
  async instantiate(memory, createImports, instantiate, binary) {
    return instantiate(binary, createImports({ env: { memory }, mote }));
  },
};
