// @ts-check

/** No code is longer: libbzip2 refuses one that is. */
const mostCodeBits = 20

/** One of a block's tables: symbols by their codes, of which those of a length follow each other. */
export class HuffmanTable {
  #leastBits
  #symbols
  /** The last code of each length. */
  #lastCodes = new Int32Array(mostCodeBits + 1)
  /** What to take from a code of each length to have its symbol's place. */
  #offsets = new Int32Array(mostCodeBits + 1)

  /** @param {Uint8Array} lengths How many bits the code of each symbol has. */
  constructor(lengths) {
    const counts = new Uint32Array(mostCodeBits + 1)
    for (const bits of lengths) counts[bits] = (counts[bits] ?? 0) + 1
    this.#leastBits = counts.findIndex((count) => count > 0)
    this.#symbols = Uint16Array.from(lengths.keys()).sort(
      (a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b,
    )
    let code = 0
    let place = 0
    for (let bits = 1; bits <= mostCodeBits; bits++) {
      const count = counts[bits] ?? 0
      code <<= 1
      this.#offsets[bits] = code - place
      code += count
      place += count
      this.#lastCodes[bits] = code - 1
    }
  }

  /**
   * Reads the lengths of the codes, each of which is written as its difference to the one before. Undefined where there
   * is one that cannot be.
   * @param {import('./bit-reader.mjs').BitReader} bits
   * @param {number} symbolCount
   */
  static read(bits, symbolCount) {
    const lengths = new Uint8Array(symbolCount)
    let length = bits.read(5)
    for (let symbol = 0; symbol < symbolCount; symbol++) {
      for (;;) {
        if (length < 1 || length > mostCodeBits) return undefined
        if (bits.read(1) === 0) break
        length += bits.read(1) === 0 ? 1 : -1
      }
      lengths[symbol] = length
    }
    return new HuffmanTable(lengths)
  }

  /**
   * The next symbol, or -1 where the bits are no code.
   * @param {import('./bit-reader.mjs').BitReader} bits
   */
  next(bits) {
    let length = this.#leastBits
    let code = bits.read(length)
    while (code > /** @type {number} */ (this.#lastCodes[length])) {
      if (++length > mostCodeBits) return -1
      code = (code << 1) | bits.read(1)
    }
    return this.#symbols[code - /** @type {number} */ (this.#offsets[length])] ?? -1
  }
}
