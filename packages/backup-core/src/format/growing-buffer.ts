/** Memory that is kept between items: one long item must not keep megabytes until the text ends. */
const KEPT_BYTES = 64 * 1024

/** Collects bytes of several pieces: each piece is overwritten by the next one. */
export class GrowingBuffer {
  readonly #maxBytes: number
  #memory = Buffer.allocUnsafe(1024)
  #length = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get length(): number {
    return this.#length
  }

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length)
  }

  /** @returns false where there would be more than the maximum */
  add(piece: Buffer, start: number, end: number): boolean {
    const length = this.#length + end - start
    if (length > this.#maxBytes) return false
    if (length > this.#memory.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.#memory.length * 2))
      this.#memory.copy(larger, 0, 0, this.#length)
      this.#memory = larger
    }
    piece.copy(this.#memory, this.#length, start, end)
    this.#length = length
    return true
  }

  clear(): void {
    this.#length = 0
    if (this.#memory.length > KEPT_BYTES) this.#memory = Buffer.allocUnsafe(1024)
  }
}
