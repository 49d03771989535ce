import type { HashList } from '../format/hash-list.js'

/** A run of changed blocks within one chunk; it becomes one object. */
export interface ChangedRun {
  /** Within the chunk, in bytes. */
  readonly startBytes: number
  readonly endBytes: number
}

/** Runs that share an object, and the unchanged bytes between them. */
export interface JoinedRun extends ChangedRun {
  readonly gapBytes: number
}

/**
 * The most objects that one chunk's changes become. Where more runs than this changed, an object for each would cost
 * the store more than the unchanged bytes between them; up to this many, backups are laid out as Cinder's are.
 */
const MOST_RUNS = 8

/**
 * No gap is stored to make an object longer than this: it gains nothing by it any more, and takes memory to be put
 * together and compressed.
 */
export const MOST_JOINED_BYTES = 10 * 1024 * 1024

/**
 * Joins nearby runs of a chunk with many, the smallest gaps first. Any offset and length is legal to a reader of the
 * format, and an unchanged block that is stored again is what it was.
 *
 * @param mostGapBytes - the most unchanged bytes between two runs that are stored to save an object
 */
export function joinNearbyRuns(runs: readonly ChangedRun[], mostGapBytes: number): JoinedRun[] {
  if (runs.length <= MOST_RUNS) return runs.map((run) => ({ ...run, gapBytes: 0 }))
  const gaps = runs
    .slice(1)
    .map((run, index) => ({ before: index + 1, bytes: run.startBytes - (runs[index]?.endBytes ?? 0) }))
    .filter(({ bytes }) => bytes <= mostGapBytes)
    .sort((a, b) => a.bytes - b.bytes)
    .slice(0, runs.length - MOST_RUNS)
  const joined = new Set(gaps.map(({ before }) => before))
  const result: JoinedRun[] = []
  for (const [index, run] of runs.entries()) {
    const last = result.at(-1)
    if (last && joined.has(index) && run.endBytes - last.startBytes <= MOST_JOINED_BYTES) {
      const gapBytes = last.gapBytes + run.startBytes - last.endBytes
      result[result.length - 1] = { ...last, endBytes: run.endBytes, gapBytes }
    } else result.push({ ...run, gapBytes: 0 })
  }
  return result
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
