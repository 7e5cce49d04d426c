// Checks what the host passes from the staging area.
import { OptionField, RecordsField } from "../abi";
import { RECORDS } from "../memory";
import { setting, Setting } from "./settings";

/** Where the area begins. */
export function address(): usize {
  return load<u32>(RECORDS, RecordsField.Staging);
}

/** Whether a span lies within the area, so that no argument reads or overwrites anything else. */
export function holds(from: usize, length: i32): bool {
  const offset = from - address();
  const capacity = load<u32>(RECORDS, RecordsField.StagingCapacity);
  return <u64>offset + <u32>length <= capacity;
}

/** The flags of a PUBLISH as the options record asks for them; above 3 for a record that is none. */
export function publishFlags(options: usize): u32 {
  if (!options) return setting(Setting.Qos) << 1;
  if (!holds(options, OptionField.End) || load<u16>(options, OptionField.Size) < <u16>OptionField.End) return 4;
  return ((<u32>load<u8>(options, OptionField.Qos)) << 1) | <u32>(load<u8>(options, OptionField.Retain) != 0);
}
