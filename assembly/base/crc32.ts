// Computes the checksum of ISO 3309, the CRC-32 of Ethernet and zip.

/** Reflected polynomial 04C11DB7, begun and ended with all bits inverted. Bit by bit: a table would cost more RAM than this ever costs time. */
export function crc32(from: usize, length: i32): u32 {
  let crc: u32 = ~0;
  const bits = length << 3;
  for (let bit = 0; bit < bits; bit++) {
    const differs = (crc ^ (load<u8>(from + (bit >> 3)) >> (bit & 7))) & 1;
    crc = (crc >> 1) ^ (0xedb88320 * differs);
  }
  return ~crc;
}
