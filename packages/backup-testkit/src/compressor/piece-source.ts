/** How a source cuts its bytes: at every so many, or at lengths that are asked for one by one. */
export type Cut = number | (() => number)

/** What a source does beside giving its bytes. */
export interface PieceSourceOptions {
  /** Gives the pieces in shared memory. */
  readonly shared?: boolean
  /** Thrown in place of the piece that would begin there or behind. */
  readonly failsAtBytes?: number
  readonly failure?: unknown
}

/**
 * The pieces of a stream as the engine hands them over: all in one memory, so that a piece is gone when the next is
 * asked for. Keeps what became of it.
 */
export class PieceSource implements AsyncIterable<Uint8Array> {
  readonly #bytes: Uint8Array
  readonly #cut: Cut
  readonly #options: PieceSourceOptions
  #times = 0
  #isOpen = false
  #givenBytes = 0
  #wasWritten = false

  constructor(bytes: Uint8Array, cut: Cut = bytes.length, options: PieceSourceOptions = {}) {
    this.#bytes = bytes
    this.#cut = cut
    this.#options = options
  }

  /** How many bytes were asked for. */
  get givenBytes(): number {
    return this.#givenBytes
  }

  /** Whether it was begun, and neither read to its end nor closed. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether it was begun at all. */
  get wasRead(): boolean {
    return this.#times > 0
  }

  /** Whether a piece was changed by the one who read it. */
  get wasWritten(): boolean {
    return this.#wasWritten
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    if (this.#times++ > 0) throw new Error('a source can be read once')
    this.#isOpen = true
    let memory = new Uint8Array(0)
    try {
      for (let at = 0; at < this.#bytes.length;) {
        await Promise.resolve()
        this.#failAt(at)
        const part = this.#bytes.subarray(at, at + (typeof this.#cut === 'number' ? this.#cut : this.#cut()))
        if (memory.length < part.length) memory = this.#memory(part.length)
        const piece = memory.subarray(0, part.length)
        piece.set(part)
        this.#givenBytes += part.length
        try {
          yield piece
        } finally {
          if (Buffer.compare(piece, part) !== 0) this.#wasWritten = true
          piece.fill(0xee)
        }
        at += part.length
      }
      this.#failAt(this.#bytes.length)
    } finally {
      this.#isOpen = false
    }
  }

  #memory(lengthBytes: number): Uint8Array<ArrayBuffer> {
    const buffer =
      this.#options.shared === true ? new SharedArrayBuffer(lengthBytes) : new ArrayBuffer(lengthBytes)
    return new Uint8Array(buffer as ArrayBuffer)
  }

  #failAt(at: number): void {
    const { failsAtBytes, failure } = this.#options
    if (failsAtBytes !== undefined && at >= failsAtBytes) throw failure
  }
}
