import { abortedError, throwIfAborted } from '@stowage/backup-core'

/**
 * Reads a source one piece at a time, for whoever opens a stream. An abort ends a read that is under way, even where
 * the source does not listen to it.
 */
export class PieceReader {
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #doing: string
  readonly #signal: AbortSignal | undefined
  #isReading = false
  #isOver = false

  /** `doing` is what an abort says was going on: `Decompressing`. */
  constructor(pieces: AsyncIterable<Uint8Array>, doing: string, signal: AbortSignal | undefined) {
    this.#pieces = pieces[Symbol.asyncIterator]()
    this.#doing = doing
    this.#signal = signal
  }

  /** The next piece that holds a byte, which is good until the next call; undefined behind the last. */
  async next(): Promise<Uint8Array | undefined> {
    while (!this.#isOver) {
      throwIfAborted(this.#signal, this.#doing)
      const result = await this.#orAborted(this.#read())
      if (result.done !== true && result.value.length > 0) return result.value
    }
    return undefined
  }

  /** Tells the source that no more is wanted, unless it has ended. To be called once, whatever happened. */
  async close(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    // What fails here concerns bytes that nobody wants, and must not hide why they are not wanted.
    const closed = this.#pieces.return?.().catch(() => undefined)
    // A source that does not answer an abort would not answer this either.
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
        reject(abortedError(signal, this.#doing))
      }
      signal.addEventListener('abort', onAbort, { once: true })
      void reading.then(resolve, reject).finally(() => {
        signal.removeEventListener('abort', onAbort)
      })
    })
  }
}
