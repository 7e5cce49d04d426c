// Checks what the host passes from the staging area.
import { RecordsField } from "../abi";
import { carve, RECORDS, storePair } from "../memory";

// @ts-ignore: decorator
@inline
export function carveStaging(size: i32): void {
  storePair(RECORDS + RecordsField.Staging, carve(size), size);
}

/** Where the area begins. */
// @ts-ignore: decorator
@inline
export function address(): usize {
  return load<u32>(RECORDS, RecordsField.Staging);
}

/** Whether a span lies within the area, so that no argument reads or overwrites anything else. */
export function holds(from: usize, length: i32): bool {
  const offset = from - address();
  const capacity = load<u32>(RECORDS, RecordsField.StagingCapacity);
  return <u64>offset + <u32>length <= capacity;
}
