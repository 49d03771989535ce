import type { ReplayableBody } from '../contracts/object-store.js'
import { BackupError } from '../errors/backup-error.js'
import type { ChunkReader, HashedPiece } from './chunk-reader.js'
import { isAllZeros } from '../volume/zeros.js'

/** The hashes of a chunk. */
export interface ChunkHashes {
  /** One for each block, 32 bytes each. */
  readonly sha256s: Uint8Array
  /** Lower-case hex. */
  readonly md5: string
}

/** An attempt to send a chunk, of which the first pieces may have been read. */
interface Attempt {
  readonly pieces: AsyncGenerator<HashedPiece>
  /** How many zeros were read, and released. */
  zeroBytes: number
  /** The first piece that has other bytes, where it was read. */
  firstData: HashedPiece | undefined
  /** Of each piece that was read. */
  readonly sha256s: Uint8Array[]
}

/**
 * The body of a chunk that is sent while it is read. Each attempt to send it reads the source again, so that it is never
 * held in memory. Its hashes are those of the last attempt: they match what is stored even if the volume was written to.
 */
export class ChunkBody implements ReplayableBody {
  readonly lengthBytes: number
  readonly #startReading: () => ChunkReader
  #reader: ChunkReader
  #streams = 0
  #attempt: Attempt
  readonly #zeros: Uint8Array

  /**
   * @param zeros - at least one piece of them
   * @param startReading - reads the chunk from its first byte
   */
  constructor(lengthBytes: number, zeros: Uint8Array, startReading: () => ChunkReader) {
    this.lengthBytes = lengthBytes
    this.#zeros = zeros
    this.#startReading = startReading
    this.#reader = startReading()
    this.#attempt = beginAttempt(this.#reader)
  }

  /** Whether the chunk is all zeros. Reads it up to the first other byte; what it has read is sent without being kept. */
  async isAllZeros(): Promise<boolean> {
    const attempt = this.#attempt
    for (let next = await attempt.pieces.next(); next.done !== true; next = await attempt.pieces.next()) {
      const { bytes, hashes, release } = next.value
      // Holes are not read: their bytes are these.
      const isHole = bytes.buffer === this.#zeros.buffer
      if (!isHole && !isAllZeros(bytes)) {
        attempt.firstData = next.value
        return false
      }
      attempt.sha256s.push((await hashes).sha256s)
      attempt.zeroBytes += bytes.length
      release()
    }
    return true
  }

  async *stream(): AsyncGenerator<Uint8Array> {
    this.#streams += 1
    if (this.#streams > 1) {
      await this.#reader.close()
      this.#reader = this.#startReading()
      this.#attempt = beginAttempt(this.#reader)
    }
    const { pieces, zeroBytes, firstData, sha256s } = this.#attempt
    for (let leftBytes = zeroBytes; leftBytes > 0; leftBytes -= this.#zeros.length)
      yield this.#zeros.subarray(0, leftBytes)
    if (firstData) yield* sendPiece(firstData, sha256s)
    for await (const piece of pieces) yield* sendPiece(piece, sha256s)
  }

  md5OfStream(): Promise<string | undefined> {
    return Promise.resolve(this.#reader.md5)
  }

  /** The hashes of what was stored. @throws BackupError `STORE_FAILED` where the store did not read all of the body */
  async hashes(): Promise<ChunkHashes> {
    const md5 = await this.#reader.md5
    if (md5 === undefined) {
      throw new BackupError(
        'STORE_FAILED',
        'The backend reported a chunk as stored without having read all of it. Report this to the author of the backend.',
      )
    }
    return { md5, sha256s: Buffer.concat(this.#attempt.sha256s) }
  }

  /** Resolves when nothing reads or hashes. Must be called, also after a failure. */
  close(): Promise<void> {
    return this.#reader.close()
  }
}

function beginAttempt(reader: ChunkReader): Attempt {
  return { pieces: reader.pieces(), zeroBytes: 0, firstData: undefined, sha256s: [] }
}

async function* sendPiece(
  { bytes, hashes, release }: HashedPiece,
  sha256s: Uint8Array[],
): AsyncGenerator<Uint8Array> {
  const at = sha256s.length
  sha256s.push(new Uint8Array(0))
  // Collected before the yield: a store that counts bytes may not request another piece after the last.
  const collected = hashes.then((found) => (sha256s[at] = found.sha256s))
  collected.catch(() => undefined)
  yield bytes
  await collected
  release()
}
