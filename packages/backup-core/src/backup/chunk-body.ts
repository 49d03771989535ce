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

/** One attempt to send the chunk. `isAllZeros` may have read its first pieces already. */
interface Attempt {
  readonly pieces: AsyncGenerator<HashedPiece>
  /** How many zeros at the start were read and released: they are to be sent first. */
  zeroBytes: number
  /** The piece after them, if it was read: it has a byte that is not zero. */
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
  /** Of the last attempt. */
  #sentBytes = 0
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

  /**
   * Whether the chunk is all zeros. Reads up to the first piece with a byte that is not zero, which is kept. The zeros before
   * it are not: {@link stream} sends them from a shared buffer.
   */
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
    this.#sentBytes = 0
    for await (const bytes of send(this.#attempt, this.#zeros)) {
      this.#sentBytes += bytes.length
      yield bytes
    }
  }

  md5OfStream(): Promise<string | undefined> {
    return Promise.resolve(this.#reader.md5)
  }

  /** Checks that the store has read all of the body. @throws BackupError `STORE_FAILED` */
  assertSent(): void {
    if (this.#sentBytes === this.lengthBytes) return
    throw new BackupError(
      'STORE_FAILED',
      'The backend reported a chunk as stored without having read all of it. Report this to the author of the backend.',
    )
  }

  /** The hashes of a chunk that was sent, or that is all zeros. */
  async hashes(): Promise<ChunkHashes> {
    const md5 = await this.#reader.md5
    if (md5 === undefined) throw new RangeError('the chunk was not read whole')
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

async function* send(
  { pieces, zeroBytes, firstData, sha256s }: Attempt,
  zeros: Uint8Array,
): AsyncGenerator<Uint8Array> {
  for (let leftBytes = zeroBytes; leftBytes > 0; leftBytes -= zeros.length) yield zeros.subarray(0, leftBytes)
  if (firstData) yield* sendPiece(firstData, sha256s)
  for await (const piece of pieces) yield* sendPiece(piece, sha256s)
}

async function* sendPiece(
  { bytes, hashes, release }: HashedPiece,
  sha256s: Uint8Array[],
): AsyncGenerator<Uint8Array> {
  // The hashes get their place now, and are filled in when they are known, without waiting for the next request: a store that
  // counts bytes may make none after the last piece.
  const at = sha256s.length
  sha256s.push(new Uint8Array(0))
  const collected = hashes.then((found) => (sha256s[at] = found.sha256s))
  collected.catch(() => undefined)
  yield bytes
  await collected
  release()
}
