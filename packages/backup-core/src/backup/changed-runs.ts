import type { HashList } from '../format/hash-list.js'

/** A run of changed blocks within one chunk; it becomes one object. */
export interface ChangedRun {
  /** Within the chunk, in bytes. */
  readonly startBytes: number
  readonly endBytes: number
}

/**
 * Compares a chunk's block hashes with those of the parent, block by block, and puts them in the parent's place: one
 * list serves both, at 32 bytes a block. A block that the parent did not have, for its volume was shorter, is changed.
 *
 * @param hashes - the parent's hashes, which the chunks before this one have overwritten
 * @param chunkHashes - the chunk's, 32 bytes each
 */
export function takeChangedRuns(
  hashes: HashList,
  chunkHashes: Uint8Array,
  firstBlock: number,
  blockSizeBytes: number,
  chunkLengthBytes: number,
): ChangedRun[] {
  const runs: ChangedRun[] = []
  const count = chunkHashes.length / 32
  let start = -1
  for (let index = 0; index < count; index += 1) {
    const block = firstBlock + index
    const same = block < hashes.length && hashes.equals(block, chunkHashes, index * 32)
    if (same) {
      if (start >= 0) runs.push({ startBytes: start, endBytes: index * blockSizeBytes })
      start = -1
    } else {
      hashes.overwrite(block, chunkHashes, index * 32)
      if (start < 0) start = index * blockSizeBytes
    }
  }
  if (start >= 0) runs.push({ startBytes: start, endBytes: chunkLengthBytes })
  return runs
}
