// Tells the host where the records are that it reads.
import { RECORDS } from "../memory";

/** The export `records`: the address of the table. */
export function records(): usize {
  return RECORDS;
}
