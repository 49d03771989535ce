import type { NodeZstd, ZstdStream } from './node-zstd.js'

/** What comes out at a time. */
const outputBytes = 256 * 1024

/** The cutter has held frames to a window within reason, by what they hold; Node's own limit knows the window alone. */
const largestWindowLog = 31

/**
 * Node's decoder for a row of frames, one part after the other. It begins a new frame where one has ended, provided that
 * no part of its input has bytes of two.
 */
export class FrameDecoder {
  readonly #stream: ZstdStream
  readonly #closed: Promise<void>
  #wake = (): void => undefined

  constructor({ createZstdDecompress, constants }: NodeZstd) {
    this.#stream = createZstdDecompress({
      chunkSize: outputBytes,
      params: { [constants.ZSTD_d_windowLogMax]: largestWindowLog },
    })
    this.#closed = new Promise((resolve) => this.#stream.once('close', resolve))
    for (const event of ['readable', 'error', 'close']) {
      this.#stream.on(event, () => {
        this.#wake()
      })
    }
  }

  /** What comes out when `part` goes in, which is zstd's until the last of that has been given. */
  async *open(part: Uint8Array): AsyncGenerator<Uint8Array> {
    const state: { isTaken: boolean } = { isTaken: false }
    this.#stream.write(part, () => {
      state.isTaken = true
      this.#wake()
    })
    for (;;) {
      const { isTaken } = state
      const opened = this.#stream.read() as Uint8Array | null
      if (this.#stream.errored !== null) throw this.#stream.errored
      if (opened !== null) yield opened
      else if (isTaken) return
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }

  /** Ends what is under way with this error. */
  fail(error: Error): void {
    this.#stream.destroy(error)
  }

  /** Frees zstd's own memory, which is as large as the window, at once and not at some later collection. */
  async close(): Promise<void> {
    this.#stream.destroy()
    await this.#closed
  }
}
