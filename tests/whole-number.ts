// Reads the numbers of campaigns from the command line.

import { InvalidArgumentError } from "commander";

/** A whole number of 32 bits, or the error that commander shows. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 0xffff_ffff) throw new InvalidArgumentError("a whole number from 0 to 4294967295 is needed.");
  return value;
}
