import type { ReplayableBody } from '../contracts/object-store.js'
import { BackupError } from '../errors/backup-error.js'
import type { ChunkReader } from './chunk-reader.js'

/** The hashes of a chunk. */
export interface ChunkHashes {
  /** One for each block, 32 bytes each. */
  readonly sha256s: Uint8Array
  /** Lower-case hex. */
  readonly md5: string
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
  /** Of the pieces of the last attempt. */
  #sha256s: Uint8Array[] = []

  /** @param startReading - reads the chunk from its first byte */
  constructor(lengthBytes: number, startReading: () => ChunkReader) {
    this.lengthBytes = lengthBytes
    this.#startReading = startReading
    this.#reader = startReading()
  }

  async *stream(): AsyncGenerator<Uint8Array> {
    this.#streams += 1
    if (this.#streams > 1) {
      await this.#reader.close()
      this.#reader = this.#startReading()
    }
    const sha256s: Uint8Array[] = []
    this.#sha256s = sha256s
    let index = 0
    for await (const { bytes, hashes, release } of this.#reader.pieces()) {
      const at = index++
      // Collected before the yield: a store that counts bytes may not request another piece after the last.
      const collected = hashes.then((found) => (sha256s[at] = found.sha256s))
      collected.catch(() => undefined)
      yield bytes
      await collected
      release()
    }
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
    return { md5, sha256s: Buffer.concat(this.#sha256s) }
  }

  /** Resolves when nothing reads or hashes. Must be called, also after a failure. */
  close(): Promise<void> {
    return this.#reader.close()
  }
}
