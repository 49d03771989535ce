import type { Compressor } from '../contracts/compressor.js'
import { isBackupError } from '../errors/backup-error.js'

/** deflate compresses zeros of the largest usual chunk, 1.86 GiB, to 2 MB; others to a few bytes. */
const MAX_CACHE_BYTES = 8 * 1024 * 1024

/** Compressed zeros by their uncompressed length: the same for all chunks of zeros of a backup. */
export class CompressedZerosCache {
  readonly #compressed = new Map<number, Uint8Array>()
  readonly #inProgress = new Map<number, Promise<Uint8Array | null>>()
  #bytes = 0

  get(lengthBytes: number): Uint8Array | undefined {
    return this.#compressed.get(lengthBytes)
  }

  /** Keeps a copy, unless the cache is full. */
  remember(lengthBytes: number, compressed: Uint8Array): void {
    if (this.#compressed.has(lengthBytes) || this.#bytes + compressed.length > MAX_CACHE_BYTES) return
    this.#compressed.set(lengthBytes, compressed.slice())
    this.#bytes += compressed.length
  }

  /**
   * Compresses so many zeros, once for all that ask for them. Takes no memory from the budget: pages of zeros that are only
   * read take none.
   *
   * @returns null where the compressor cannot: the zeros are then stored as they are
   */
  async compress(
    compressor: Compressor,
    lengthBytes: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | null> {
    const known = this.#compressed.get(lengthBytes)
    if (known) return known
    let compressing = this.#inProgress.get(lengthBytes)
    if (!compressing) {
      compressing = compressZeros(compressor, lengthBytes, signal)
      this.#inProgress.set(lengthBytes, compressing)
    }
    try {
      const compressed = await compressing
      if (compressed) this.remember(lengthBytes, compressed)
      return compressed
    } finally {
      this.#inProgress.delete(lengthBytes)
    }
  }
}

async function compressZeros(
  compressor: Compressor,
  lengthBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  try {
    return await compressor.compress(new Uint8Array(new SharedArrayBuffer(lengthBytes)), { signal })
  } catch (error) {
    if (isBackupError(error, 'ABORTED')) throw error
    // The caller chose no compression, so that the package of this one may not be installed.
    return null
  }
}
