// Which OTA chunks a fault loses: every n-th one, or a share of them drawn from a seed.

import { createHash } from "node:crypto";

export type ChunkLoss = { readonly every: number } | { readonly percent: number; readonly seed: number };

/** Answers for each chunk in turn whether it is lost; the same seed loses the same ones. */
export function chunkLoss(loss: ChunkLoss): () => boolean {
  if ("every" in loss) {
    let count = 0;
    return () => ++count % loss.every === 0;
  }
  const { percent, seed } = loss;
  let index = 0;
  return () => (draw(seed, index++) / 2 ** 32) * 100 < percent;
}

/** A number of 32 bits, the same on every machine. */
function draw(seed: number, index: number): number {
  return createHash("sha256").update(`${seed} ${index}`).digest().readUInt32BE();
}
