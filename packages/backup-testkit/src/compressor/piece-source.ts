/** The length of each piece: a constant, or a function called for each one. */
export type Cut = number | (() => number)

/** Options of a {@link PieceSource}. */
export interface PieceSourceOptions {
  /** Yields pieces in shared memory. */
  readonly shared?: boolean
  /** `failure` is thrown instead of the first piece that begins at this offset or after it. */
  readonly failsAtBytes?: number
  readonly failure?: unknown
}

/**
 * The pieces of a stream as the engine passes them: all in one buffer, so that a piece is overwritten when the next is
 * requested. Records how it was read.
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

  /** Bytes read so far. */
  get givenBytes(): number {
    return this.#givenBytes
  }

  /** Whether it was started, and neither read to its end nor closed. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether it was started. */
  get wasRead(): boolean {
    return this.#times > 0
  }

  /** Whether the consumer changed a piece. */
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
