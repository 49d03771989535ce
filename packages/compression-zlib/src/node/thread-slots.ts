import { availableParallelism } from 'node:os'

/** Hands out a bounded number of slots, first come, first served. */
class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Waits for a slot; call what it resolves to, once, to give it back. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free--
    else {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
    return () => {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

/**
 * The threads that all compressors of this process may keep busy: one for each core. libuv's pool serves file reads
 * too, which would wait behind a longer queue.
 */
export const threadSlots = new Slots(availableParallelism())
