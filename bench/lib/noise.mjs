import { createCipheriv, createHash } from 'node:crypto'

/**
 * Random bytes and numbers that a seed decides: AES-128 in counter mode, which no compressor shortens and which comes
 * at gigabytes a second.
 */
export class Noise {
  #cipher
  #pool = Buffer.alloc(0)
  #at = 0

  /** @param {string} seed */
  constructor(seed) {
    const key = createHash('sha256').update(seed).digest()
    this.#cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16))
  }

  /** @param {number} lengthBytes */
  bytes(lengthBytes) {
    return this.#cipher.update(Buffer.alloc(lengthBytes))
  }

  /**
   * A whole number from 0 to `limit` - 1.
   *
   * @param {number} limit
   */
  below(limit) {
    if (this.#at + 6 > this.#pool.length) {
      this.#pool = this.bytes(48 * 1024)
      this.#at = 0
    }
    const drawn = this.#pool.readUIntLE(this.#at, 6)
    this.#at += 6
    // Of 48 bits: the leaning towards small numbers is far below what a benchmark could notice.
    return drawn % limit
  }

  /**
   * The same things in an order that the seed decides.
   *
   * @template T
   * @param {readonly T[]} things
   * @returns {T[]}
   */
  shuffled(things) {
    const copy = [...things]
    for (let index = copy.length - 1; index > 0; index -= 1) {
      const other = this.below(index + 1)
      const kept = /** @type {T} */ (copy[index])
      copy[index] = /** @type {T} */ (copy[other])
      copy[other] = kept
    }
    return copy
  }

  /**
   * `count` different whole numbers below `limit`, ascending.
   *
   * @param {number} count
   * @param {number} limit
   */
  places(count, limit) {
    const chosen = new Set()
    while (chosen.size < Math.min(count, limit)) chosen.add(this.below(limit))
    return [...chosen].sort((a, b) => a - b)
  }
}
