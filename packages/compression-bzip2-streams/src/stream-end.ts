/** The mark of a stream's end is 48 bits long, and the checksum behind it 32. */
export const endMarkBits = 48
const checksumBits = 32

/** The byte at which the next stream begins: behind the end mark at `bit`, the checksum, and the bits left over. */
export const streamEnd = (bit: number): number => Math.ceil((bit + endMarkBits + checksumBits) / 8)
