import type { Compressor } from '../contracts/compressor.js'
import { throwIfAborted } from '../errors/backup-error.js'

/** deflate compresses zeros to a thousandth: those of the largest usual chunk, 1.86 GiB, to 2 MB. Others need less. */
const MAX_CACHE_BYTES = 8 * 1024 * 1024

/** Compressed zeros, by their length before compression: all objects of zeros of one length in a backup share one result. */
export class CompressedZerosCache {
  readonly #compressed = new Map<number, Uint8Array>()
  /** Also what failed, and is not tried again. */
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
    const compressed = await compressing
    if (!compressed) return null
    this.remember(lengthBytes, compressed)
    if (this.#inProgress.get(lengthBytes) === compressing) this.#inProgress.delete(lengthBytes)
    return compressed
  }
}

async function compressZeros(
  compressor: Compressor,
  lengthBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  try {
    return await compressor.compress(new Uint8Array(new SharedArrayBuffer(lengthBytes)), { signal })
  } catch {
    throwIfAborted(signal)
    // The caller chose no compression: the package of this compressor may not be installed.
    return null
  }
}
