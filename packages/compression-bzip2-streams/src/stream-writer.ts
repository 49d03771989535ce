import { joinInTurns } from '@stowage/compression-workers'
import type { Lent } from './run-engine.js'

/**
 * Joins streams, which are made in any order: each is put into its place as soon as those before it are there. One
 * that has to wait is copied out of the lent memory, so that the workers never want for it.
 */
export class StreamWriter {
  readonly #target: Uint8Array
  readonly #waiting = new Map<number, Uint8Array>()
  #next = 0
  #lengthBytes = 0
  #full = false
  #writing = Promise.resolve()

  constructor(target: Uint8Array) {
    this.#target = target
  }

  /** Whether the streams have outgrown their memory. */
  get full(): boolean {
    return this.#full
  }

  /** Ends when the stream has its place or waits for it, and its lent memory is free again. */
  async put(index: number, { bytes, free }: Lent): Promise<void> {
    this.#waiting.set(index, index === this.#next ? bytes : bytes.slice())
    this.#writing = this.#writing.then(() => this.#writeWhatFollows())
    await this.#writing
    free()
  }

  /** The joined streams, or undefined where they did not fit. */
  end(): Uint8Array | undefined {
    return this.#full ? undefined : this.#target.subarray(0, this.#lengthBytes)
  }

  async #writeWhatFollows(): Promise<void> {
    for (let next = this.#waiting.get(this.#next); next; next = this.#waiting.get(this.#next)) {
      this.#waiting.delete(this.#next)
      const end = this.#lengthBytes + next.length
      if (end > this.#target.length) this.#full = true
      if (!this.#full) await joinInTurns([next], this.#target.subarray(this.#lengthBytes, end))
      this.#lengthBytes = end
      this.#next += 1
    }
  }
}
