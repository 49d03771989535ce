import type { HashList } from '../format/hash-list.js'
import { joinNearbyRuns, takeChangedRuns, type ChangedRun, type JoinedRun } from './changed-runs.js'
import type { PieceHashes } from '../hash/hash-pool.js'
import type { Piece } from './read-pieces.js'

/** A piece, and what was hashed of it. */
export interface HashedPiece extends PieceHashes {
  readonly piece: Piece
}

/** A run of changes, in memory: in as many parts as there are pieces that it lies in. */
export interface RunInMemory {
  /** Within the volume. */
  readonly offsetBytes: number
  readonly lengthBytes: number
  readonly parts: readonly Uint8Array[]
  /** It lies in pieces that are all zeros. */
  readonly allZero: boolean
  /** Most of it is what the parent has, stored again to save objects. */
  readonly mostlyUnchanged: boolean
  /** Called once, when the bytes are not needed any more. */
  readonly release: () => void
}

/** A chunk whose pieces come in one after the other. Pieces without a change are let go at once. */
export class OpenChunk {
  readonly #hashes: HashList
  readonly #blockSizeBytes: number
  readonly #joinGapBytes: number
  #pieces: HashedPiece[] = []
  #runs: ChangedRun[] = []

  /**
   * @param hashes - the parent's, which those of the chunks overwrite
   * @param joinGapBytes - the most unchanged bytes that are stored so that scattered changes share an object
   */
  constructor(hashes: HashList, blockSizeBytes: number, joinGapBytes: number) {
    this.#hashes = hashes
    this.#blockSizeBytes = blockSizeBytes
    this.#joinGapBytes = joinGapBytes
  }

  /** Compares the next piece; returns whether it changed. */
  add(hashed: HashedPiece): boolean {
    const { piece, sha256s } = hashed
    const firstBlock = piece.offsetBytes / this.#blockSizeBytes
    const found = takeChangedRuns(this.#hashes, sha256s, firstBlock, this.#blockSizeBytes, piece.bytes.length)
    if (found.length === 0) {
      piece.release()
      return false
    }
    this.#pieces.push(hashed)
    for (const { startBytes, endBytes } of found) {
      const last = this.#runs.at(-1)
      const run = { startBytes: piece.offsetBytes + startBytes, endBytes: piece.offsetBytes + endBytes }
      if (last?.endBytes === run.startBytes)
        this.#runs[this.#runs.length - 1] = { ...last, endBytes: run.endBytes }
      else this.#runs.push(run)
    }
    return true
  }

  /**
   * The changes of all pieces since the last end, in their order, and how many bytes of those pieces the progress does not
   * count yet.
   */
  end(): { runs: RunInMemory[]; uncountedBytes: number } {
    const runs = joinNearbyRuns(this.#runs, this.#joinGapBytes)
    const pieces = this.#pieces.map((hashed) => new HeldPiece(hashed))
    const uncountedBytes = this.#pieces.reduce(
      (sum, { piece: { bytes, portion } }) => sum + bytes.length - portion.countedBytes,
      0,
    )
    this.#runs = []
    this.#pieces = []
    return { runs: runs.map((run) => inMemory(run, pieces)), uncountedBytes }
  }
}

/** A piece that runs share: it is let go when the last of them is done. */
class HeldPiece {
  readonly hashed: HashedPiece
  #users = 0

  constructor(hashed: HashedPiece) {
    this.hashed = hashed
  }

  get startBytes(): number {
    return this.hashed.piece.offsetBytes
  }

  get endBytes(): number {
    return this.startBytes + this.hashed.piece.bytes.length
  }

  use(): void {
    this.#users += 1
  }

  letGo(): void {
    this.#users -= 1
    if (this.#users === 0) this.hashed.piece.release()
  }
}

/**
 * The parts of a run. A gap that joining bridged is smaller than a piece, and so lies in pieces that have changes and
 * are held.
 */
function inMemory({ startBytes, endBytes, gapBytes }: JoinedRun, pieces: readonly HeldPiece[]): RunInMemory {
  const touched = pieces.filter((piece) => piece.startBytes < endBytes && piece.endBytes > startBytes)
  for (const piece of touched) piece.use()
  const parts = touched.map(({ hashed: { piece }, startBytes: from }) =>
    piece.bytes.subarray(Math.max(0, startBytes - from), Math.min(piece.bytes.length, endBytes - from)),
  )
  return {
    offsetBytes: startBytes,
    lengthBytes: endBytes - startBytes,
    parts,
    allZero: touched.every(({ hashed }) => hashed.allZero),
    mostlyUnchanged: gapBytes > (endBytes - startBytes) / 2,
    release: () => {
      for (const piece of touched) piece.letGo()
    },
  }
}
