/** Makes bytes that compress as logs and prose do: words drawn unevenly, in lines that begin alike. */
export class TextLike {
  #noise
  #words
  #line = 0

  /** @param {import('./noise.mjs').Noise} noise */
  constructor(noise) {
    this.#noise = noise
    this.#words = Array.from({ length: 8192 }, () => Buffer.from(this.#word(), 'latin1'))
  }

  /** @param {number} lengthBytes */
  bytes(lengthBytes) {
    const text = Buffer.alloc(lengthBytes)
    let at = 0
    while (at < lengthBytes) {
      this.#line += 1
      at += text.write(
        `\n2026-01-02T03:04:${String(this.#line).padStart(9, '0')} harbour[${this.#draw(64)}]:`,
        at,
      )
      const words = 4 + this.#draw(16)
      for (let index = 0; index < words && at < lengthBytes; index += 1) {
        // The product of two draws: a few words are met all the time, most of them rarely.
        const drawn = (this.#draw(8192) * this.#draw(8192)) >> 13
        at += /** @type {Buffer} */ (this.#words[drawn]).copy(text, at)
      }
    }
    return text
  }

  #word() {
    const letters = 2 + this.#draw(9)
    let word = ' '
    for (let index = 0; index < letters; index += 1) {
      word += 'etaoinshrdlucmfwypvbgkjqxz'[((this.#draw(26) * this.#draw(26)) / 26) | 0]
    }
    return word
  }

  #draw(/** @type {number} */ limit) {
    return this.#noise.below(limit)
  }
}
