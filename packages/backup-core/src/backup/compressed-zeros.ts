/** deflate compresses zeros of the largest usual chunk, 1.86 GiB, to 2 MB; others to a few bytes. */
const MAX_CACHE_BYTES = 8 * 1024 * 1024

/** Compressed zeros by their uncompressed length: the same for all chunks of zeros of a backup. */
export class CompressedZerosCache {
  readonly #compressed = new Map<number, Uint8Array>()
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
}
