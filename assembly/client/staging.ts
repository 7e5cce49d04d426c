// Lends the area where the host lays out what it wants to send.
import { OptionField } from "../abi";
import { carve } from "../memory";
import { setting, Setting } from "./settings";

export let address: usize = 0;
export let capacity: i32 = 0;

export function carveStaging(size: i32): void {
  address = carve(size);
  capacity = size;
}

/** Whether a span lies within the area, so that no argument reads or overwrites anything else. */
export function holds(from: usize, length: i32): bool {
  return from >= address && <u32>length <= <u32>capacity && from - address <= <usize>(capacity - length);
}

/** The flags of a PUBLISH as the options record asks for them; -1 for a record that is none. */
export function publishFlags(options: usize): i32 {
  if (!options) return setting(Setting.Qos) << 1;
  if (!holds(options, OptionField.End) || load<u16>(options, OptionField.Size) < <u16>OptionField.End) return -1;
  const qos: i32 = load<u8>(options, OptionField.Qos);
  const retain: i32 = load<u8>(options, OptionField.Retain);
  return qos > 1 || retain > 1 ? -1 : (qos << 1) | retain;
}
