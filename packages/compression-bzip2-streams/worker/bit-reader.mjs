// @ts-check

/** Reads bits, most significant first; zeros behind the end. */
export class BitReader {
  #bytes
  #at
  #held = 0
  #heldBits = 0

  /**
   * @param {Uint8Array} bytes
   * @param {number} bit Where to begin.
   */
  constructor(bytes, bit) {
    this.#bytes = bytes
    this.#at = Math.floor(bit / 8)
    this.read(bit % 8)
  }

  /** The place of the bit that is read next. */
  get position() {
    return this.#at * 8 - this.#heldBits
  }

  /** @param {number} count 24 at most. */
  read(count) {
    while (this.#heldBits < count) {
      this.#held = (this.#held << 8) | (this.#bytes[this.#at] ?? 0)
      this.#at++
      this.#heldBits += 8
    }
    this.#heldBits -= count
    return (this.#held >>> this.#heldBits) & ((1 << count) - 1)
  }
}
