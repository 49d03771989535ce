/** Memory kept between strings: one long string must not hold its megabytes until the text ends. */
const keptBytes = 64 * 1024

/** Holds the bytes of a token that several pieces share: a piece is gone when the next one comes. */
export class SpillBuffer {
  #bytes = Buffer.allocUnsafe(256)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** The memory; only the first {@link length} bytes mean something. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** Adds the bytes of `piece` from `start` up to `end`. */
  add(piece: Buffer, start: number, end: number): void {
    const length = this.#length + end - start
    if (length > this.#bytes.length) {
      // Twice as much each time, so that a string in pieces of one byte is not copied once a byte.
      const larger = Buffer.allocUnsafe(Math.max(length, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    piece.copy(this.#bytes, this.#length, start, end)
    this.#length = length
  }

  clear(): void {
    this.#length = 0
    if (this.#bytes.length > keptBytes) this.#bytes = Buffer.allocUnsafe(256)
  }
}
