/** deflate makes 2 MB of the largest chunk that is usual, 1.86 GiB; others make next to nothing. */
const MOST_BYTES = 8 * 1024 * 1024

/** What zeros become when they are compressed, by how many they are: the same for all chunks of zeros of a backup. */
export class ZeroForms {
  readonly #forms = new Map<number, Uint8Array>()
  #bytes = 0

  get(lengthBytes: number): Uint8Array | undefined {
    return this.#forms.get(lengthBytes)
  }

  /** Keeps a copy, as long as all of them are a few megabytes. */
  remember(lengthBytes: number, compressed: Uint8Array): void {
    if (this.#forms.has(lengthBytes) || this.#bytes + compressed.length > MOST_BYTES) return
    this.#forms.set(lengthBytes, compressed.slice())
    this.#bytes += compressed.length
  }
}
