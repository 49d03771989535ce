/** What a block holds at level 1, after runs of equal bytes were shortened. */
const symbolsALevel = 100_000

/** A run of 259 equal bytes is kept as five: what a block can open to, at most. */
export const mostOpenedBytes = (level: number): number => Math.ceil((level * symbolsALevel) / 5) * 259

/** A symbol takes 20 bits at most; tables and selectors come to less than the rest. */
export const mostBlockBits = (level: number): number => level * symbolsALevel * 20 + 100_000 * 8

/** The bits of a block that hold no data: magic, checksum, and the least of tables. */
const leastBlockBytes = 20

/** What a bzip2 object of that length can open to, at most. */
export const mostExpandedBytes = (lengthBytes: number): number =>
  Math.ceil(lengthBytes / leastBlockBytes) * mostOpenedBytes(9)
