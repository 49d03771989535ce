/** A volume has chunks of one size, and a last one; its runs of changes may have any. */
const MOST_FORMS = 16

/** More than this is not kept: a compressor that does so badly with zeros may do it again. */
const MOST_BYTES = 1024 * 1024

/** What zeros become when they are compressed, by how many they are: the same for all chunks of zeros of a backup. */
export class ZeroForms {
  readonly #forms = new Map<number, Uint8Array>()

  get(lengthBytes: number): Uint8Array | undefined {
    return this.#forms.get(lengthBytes)
  }

  /** Keeps a copy. */
  remember(lengthBytes: number, compressed: Uint8Array): void {
    if (this.#forms.size >= MOST_FORMS || compressed.length > MOST_BYTES) return
    this.#forms.set(lengthBytes, compressed.slice())
  }
}
