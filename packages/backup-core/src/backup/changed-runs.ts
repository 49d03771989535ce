import type { HashList } from '../format/hash-list.js'
import type { PieceHashes } from '../hash/hash-pool.js'
import type { HashedPiece } from './chunk-reader.js'

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
 * Maximum of objects for the changes of one chunk. Where more runs than this changed, an object for each would cost the
 * store more than the unchanged bytes between them. Up to this number, backups are laid out as Cinder's are.
 */
const MAX_RUNS = 8

/** Objects are not made longer than this by joining: that saves nothing more, and takes memory. */
export const MAX_JOINED_BYTES = 10 * 1024 * 1024

/**
 * Joins nearby runs of a chunk with many, the smallest gaps first. Any offset and length is legal to a reader of the
 * format, and an unchanged block that is stored again has the same bytes.
 *
 * @param maxGapBytes - maximum of unchanged bytes between two runs that are joined
 */
export function joinNearbyRuns(runs: readonly ChangedRun[], maxGapBytes: number): JoinedRun[] {
  if (runs.length <= MAX_RUNS) return runs.map((run) => ({ ...run, gapBytes: 0 }))
  const gaps = runs
    .slice(1)
    .map((run, index) => ({ before: index + 1, bytes: run.startBytes - (runs[index]?.endBytes ?? 0) }))
    .filter(({ bytes }) => bytes <= maxGapBytes)
    .sort((a, b) => a.bytes - b.bytes)
    .slice(0, runs.length - MAX_RUNS)
  const joined = new Set(gaps.map(({ before }) => before))
  const result: JoinedRun[] = []
  for (const [index, run] of runs.entries()) {
    const last = result.at(-1)
    if (last && joined.has(index) && run.endBytes - last.startBytes <= MAX_JOINED_BYTES) {
      const gapBytes = last.gapBytes + run.startBytes - last.endBytes
      result[result.length - 1] = { ...last, endBytes: run.endBytes, gapBytes }
    } else result.push({ ...run, gapBytes: 0 })
  }
  return result
}

/**
 * Compares a piece's block hashes with those of the parent, and puts them in the parent's place: one list serves both, at
 * 32 bytes a block. A block that the parent does not have, since its volume was shorter, counts as changed.
 *
 * @param hashes - the parent's hashes, of which those of other pieces may have been overwritten
 * @param pieceHashes - 32 bytes for each block
 */
export function compareAndReplaceHashes(
  hashes: HashList,
  pieceHashes: Uint8Array,
  firstBlock: number,
  blockSizeBytes: number,
  pieceLengthBytes: number,
): ChangedRun[] {
  const runs: ChangedRun[] = []
  const count = pieceHashes.length / 32
  // Chunks are compared concurrently: a later one may come first.
  hashes.extend(firstBlock + count)
  let start = -1
  for (let index = 0; index < count; index += 1) {
    const block = firstBlock + index
    if (hashes.equals(block, pieceHashes, index * 32)) {
      if (start >= 0) runs.push({ startBytes: start, endBytes: index * blockSizeBytes })
      start = -1
    } else {
      hashes.overwrite(block, pieceHashes, index * 32)
      if (start < 0) start = index * blockSizeBytes
    }
  }
  if (start >= 0) runs.push({ startBytes: start, endBytes: pieceLengthBytes })
  return runs
}

/** A run of changes in memory. */
export interface RunInMemory {
  /** Within the volume. */
  readonly offsetBytes: number
  readonly lengthBytes: number
  /** One for each piece that the run lies in; one in all where the pieces lie in one buffer. */
  readonly parts: readonly Uint8Array[]
  /** Whether all of its pieces are zeros. */
  readonly allZero: boolean
  /** Whether most of it is what the parent has, stored again to save objects. */
  readonly mostlyUnchanged: boolean
  /** Must be called once, when the bytes are not needed any more. */
  readonly release: () => void
}

/** The changes of one chunk. Pieces without a change are released as soon as they are compared. */
export class ChunkChanges {
  readonly #hashes: HashList
  readonly #blockSizeBytes: number
  readonly #joinGapBytes: number
  readonly #pieces: ChangedPiece[] = []
  readonly #runs: ChangedRun[] = []

  /**
   * @param hashes - the parent's, which those of the chunk overwrite
   * @param joinGapBytes - maximum of unchanged bytes that are stored so that scattered changes share an object
   */
  constructor(hashes: HashList, blockSizeBytes: number, joinGapBytes: number) {
    this.#hashes = hashes
    this.#blockSizeBytes = blockSizeBytes
    this.#joinGapBytes = joinGapBytes
  }

  /** Compares the next piece. */
  add(piece: Omit<HashedPiece, 'hashes'>, { sha256s, allZero }: PieceHashes): void {
    const { offsetBytes, bytes } = piece
    const firstBlock = offsetBytes / this.#blockSizeBytes
    const found = compareAndReplaceHashes(
      this.#hashes,
      sha256s,
      firstBlock,
      this.#blockSizeBytes,
      bytes.length,
    )
    if (found.length === 0) {
      piece.release()
      return
    }
    this.#pieces.push(new ChangedPiece(piece, allZero))
    for (const { startBytes, endBytes } of found) {
      const run = { startBytes: offsetBytes + startBytes, endBytes: offsetBytes + endBytes }
      const last = this.#runs.at(-1)
      if (last?.endBytes === run.startBytes)
        this.#runs[this.#runs.length - 1] = { ...last, endBytes: run.endBytes }
      else this.#runs.push(run)
    }
  }

  /** The runs of all pieces, in order. */
  runs(): RunInMemory[] {
    return joinNearbyRuns(this.#runs, this.#joinGapBytes).map((run) => inMemory(run, this.#pieces))
  }
}

/** A piece that runs share: it is released when the last of them is. */
class ChangedPiece {
  readonly startBytes: number
  readonly endBytes: number
  readonly bytes: Uint8Array
  #users = 0

  constructor(
    private readonly piece: Omit<HashedPiece, 'hashes'>,
    readonly allZero: boolean,
  ) {
    this.bytes = piece.bytes
    this.startBytes = piece.offsetBytes
    this.endBytes = piece.offsetBytes + piece.bytes.length
  }

  use(): void {
    this.#users += 1
  }

  release(): void {
    this.#users -= 1
    if (this.#users === 0) this.piece.release()
  }
}

/**
 * The parts of a run. A gap between joined runs is smaller than a piece, so that it lies in pieces that have changes and
 * are held.
 */
function inMemory(
  { startBytes, endBytes, gapBytes }: JoinedRun,
  pieces: readonly ChangedPiece[],
): RunInMemory {
  const touched = pieces.filter((piece) => piece.startBytes < endBytes && piece.endBytes > startBytes)
  for (const piece of touched) piece.use()
  const parts: Uint8Array[] = []
  for (const { bytes, startBytes: from } of touched) {
    appendPart(parts, bytes.subarray(Math.max(0, startBytes - from), Math.min(bytes.length, endBytes - from)))
  }
  return {
    offsetBytes: startBytes,
    lengthBytes: endBytes - startBytes,
    parts,
    allZero: touched.every(({ allZero }) => allZero),
    mostlyUnchanged: gapBytes > (endBytes - startBytes) / 2,
    release: () => {
      for (const piece of touched) piece.release()
    },
  }
}

/** Parts that follow each other in one buffer become one. */
function appendPart(parts: Uint8Array[], part: Uint8Array): void {
  const last = parts.at(-1)
  const follows = last?.buffer === part.buffer && last.byteOffset + last.length === part.byteOffset
  if (last && follows) {
    parts[parts.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + part.length)
  } else parts.push(part)
}
