import { availableParallelism } from 'node:os'

/** How much may be hashed, compressed, stored or fetched at once. */
export interface Concurrency {
  /** Objects of which each keeps a core busy. */
  readonly chunks: number
  /** Objects of at most {@link SMALL_OBJECT_BYTES}. */
  readonly smallObjects: number
}

/** An object up to this long is mostly waited for: sending it, and all that is done with it, takes a millisecond or two. */
export const SMALL_OBJECT_BYTES = 256 * 1024

/** As many as a backup deletes or looks for at once: enough to hide a store's answering time, and no burden to it. */
const SMALL_OBJECTS_AT_ONCE = 8

/**
 * A chunk for each core: more of them add memory and no speed, since hashing and compressing keep the cores busy. Small
 * objects wait for the store instead, and take next to no memory.
 *
 * @param chosen - the caller's own, which holds for small objects as well
 */
export function concurrencyFrom(chosen: number | undefined): Concurrency {
  const chunks = chosen ?? Math.min(8, Math.max(2, availableParallelism()))
  return { chunks, smallObjects: chosen ?? SMALL_OBJECTS_AT_ONCE }
}

/** How many objects of that length at most may be in work. */
export function atOnce({ chunks, smallObjects }: Concurrency, lengthBytes: number): number {
  return lengthBytes <= SMALL_OBJECT_BYTES ? smallObjects : chunks
}

/** Bounds the costly steps: first come, first served among the small, and among the others. */
export class Slots {
  readonly #chunks: Limiter
  readonly #smallObjects: Limiter

  constructor({ chunks, smallObjects }: Concurrency) {
    this.#chunks = new Limiter(chunks)
    this.#smallObjects = new Limiter(smallObjects)
  }

  run<T>(lengthBytes: number, task: () => Promise<T>): Promise<T> {
    const limiter = lengthBytes <= SMALL_OBJECT_BYTES ? this.#smallObjects : this.#chunks
    return limiter.run(task)
  }
}

/** Lets a number of tasks run at once; the rest wait their turn, first come first served. */
export class Limiter {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(slots: number) {
    this.#free = slots
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free += 1
    }
  }
}
