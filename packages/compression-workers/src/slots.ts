import { availableParallelism } from 'node:os'

/** How many threads the machine can keep busy. */
export const coreCount: number = availableParallelism()

/** Hands out a bounded number of slots, first come, first served. */
export class Slots {
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
 * The pieces that may be under way at once: one for each core, and one that waits, so that no thread is idle while
 * the main thread brings the next.
 */
export const coreSlots: Slots = new Slots(coreCount + 1)
