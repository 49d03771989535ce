const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * A string of a JSON text, between its quotes. One that is plain ASCII without escapes is left in place, so that
 * millions of hashes never become JavaScript strings.
 */
export class JsonText {
  /** Where the string lies. */
  bytes: Buffer = Buffer.alloc(0)
  start = 0
  end = 0
  #decoded: string | undefined

  /** Shows a string that is plain ASCII and has no escapes. */
  setPlain(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes
    this.start = start
    this.end = end
    this.#decoded = undefined
  }

  /** Shows any other string. Throws a `TypeError` for bytes that are not UTF-8, a `SyntaxError` for a bad escape. */
  setEncoded(bytes: Buffer, start: number, end: number): void {
    this.setPlain(bytes, start, end)
    const raw = utf8.decode(bytes.subarray(start, end))
    this.#decoded = JSON.parse(`"${raw}"`) as string
  }

  /** Whether the text is exactly its bytes from `start` to `end`. */
  get plain(): boolean {
    return this.#decoded === undefined
  }

  /** The text as a string. */
  text(): string {
    return this.#decoded ?? this.bytes.toString('latin1', this.start, this.end)
  }

  /** Whether the text is this word of plain ASCII. */
  is(word: string): boolean {
    if (this.#decoded !== undefined) return this.#decoded === word
    if (this.end - this.start !== word.length) return false
    for (let index = 0; index < word.length; index++) {
      if (this.bytes[this.start + index] !== word.charCodeAt(index)) return false
    }
    return true
  }
}
