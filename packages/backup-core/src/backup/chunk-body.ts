import type { ReplayableBody } from '../contracts/object-store.js'
import { BackupError } from '../errors/backup-error.js'
import { ChunkPass, type ChunkMeans, type ChunkPlace } from './chunk-pass.js'

/** What was hashed of a chunk, of the bytes that the store was given last. */
export interface ChunkHashes {
  /** Of each block, 32 bytes each. */
  readonly sha256s: Uint8Array
  readonly md5: string
}

/**
 * A chunk that is read while it is stored, and read again for each attempt to store it: no attempt needs it in memory.
 * Its hashes are those of the last attempt, so that they are true of what is stored also where the volume is written to.
 */
export class ChunkBody implements ReplayableBody {
  readonly lengthBytes: number
  readonly #begin: () => ChunkPass
  #pass: ChunkPass
  #streams = 0

  /** Begins to read. @param onHashed - told of bytes that were read and hashed for the first time */
  constructor(place: ChunkPlace, means: ChunkMeans, onHashed: (lengthBytes: number) => void) {
    this.lengthBytes = place.lengthBytes
    let reachedBytes = 0
    this.#begin = () =>
      new ChunkPass(place, means, (endBytes) => {
        if (endBytes <= reachedBytes) return
        onHashed(endBytes - reachedBytes)
        reachedBytes = endBytes
      })
    this.#pass = this.#begin()
  }

  async *stream(): AsyncGenerator<Uint8Array> {
    this.#streams += 1
    if (this.#streams > 1) {
      await this.#pass.close()
      this.#pass = this.#begin()
    }
    yield* this.#pass.pieces()
  }

  md5OfStream(): Promise<string | undefined> {
    return Promise.resolve(this.#pass.md5)
  }

  /** The hashes of what was stored. @throws `STORE_FAILED` where the store did not take all of it */
  async hashes(): Promise<ChunkHashes> {
    const { md5, sha256s } = this.#pass
    if (md5 === undefined) {
      throw new BackupError(
        'STORE_FAILED',
        'The store said that it has a chunk of which it did not take all.',
      )
    }
    return { md5: await md5, sha256s }
  }

  /** Resolves when nothing reads or hashes any more. To be called whatever happens. */
  close(): Promise<void> {
    return this.#pass.close()
  }
}
