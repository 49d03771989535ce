import { abortedError, throwIfAborted } from '@stowage/backup-core'

/** Reads the input of a decompression one piece at a time. An abort ends a read, even where the source ignores it. */
export class PieceReader {
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #signal: AbortSignal | undefined
  #isReading = false
  #isOver = false

  constructor(pieces: AsyncIterable<Uint8Array>, signal?: AbortSignal) {
    this.#pieces = pieces[Symbol.asyncIterator]()
    this.#signal = signal
  }

  /** The next piece that is not empty, which is valid until the next call; undefined after the last. */
  async next(): Promise<Uint8Array | undefined> {
    while (!this.#isOver) {
      throwIfAborted(this.#signal, 'Decompressing')
      const result = await this.#orAborted(this.#read())
      if (result.done !== true && result.value.length > 0) return result.value
    }
    return undefined
  }

  /** Closes the source, unless it has ended. To be called once, whatever happened. */
  async close(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    // An error here must not hide why the rest of the input is not read.
    const closed = this.#pieces.return?.().catch(() => undefined)
    // A source that does not respond to an abort would not respond to this either.
    if (!this.#isReading) await closed
  }

  async #read(): Promise<IteratorResult<Uint8Array>> {
    this.#isReading = true
    try {
      const result = await this.#pieces.next()
      if (result.done === true) this.#isOver = true
      return result
    } catch (error) {
      this.#isOver = true
      throw error
    } finally {
      this.#isReading = false
    }
  }

  #orAborted<T>(reading: Promise<T>): Promise<T> {
    const signal = this.#signal
    if (signal === undefined) return reading
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        reject(abortedError(signal, 'Decompressing'))
      }
      signal.addEventListener('abort', onAbort, { once: true })
      void reading.then(resolve, reject).finally(() => {
        signal.removeEventListener('abort', onAbort)
      })
    })
  }
}
