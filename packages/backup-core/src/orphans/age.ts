import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import { Limiter } from '../pipeline/limiter.js'

/** How many objects are asked for their time at once. */
const QUESTIONS_AT_ONCE = 8

/** Decides what is old enough to be an orphan, and not a backup that runs. */
export class AgeGuard {
  readonly #store: ObjectStore
  readonly #olderThanMs: number
  readonly #nowMs: number

  constructor(store: ObjectStore, olderThanMs: number, now: Date) {
    this.#store = store
    this.#olderThanMs = olderThanMs
    this.#nowMs = now.getTime()
  }

  /** The moment before which something was written that may be removed. */
  get olderThan(): Date {
    return new Date(this.#nowMs - this.#olderThanMs)
  }

  /** When the newest of the objects was written; null where the store does not tell, or has none of them. */
  async newest(container: string, names: Iterable<string>, options: StoreOptions): Promise<Date | null> {
    const store = this.#store
    if (!store.objectModifiedAt) return null
    const limiter = new Limiter(QUESTIONS_AT_ONCE)
    const times = await Promise.all(
      [...names].map((name) => limiter.run(async () => store.objectModifiedAt?.(container, name, options))),
    )
    const known = times.flatMap((time) => time?.getTime() ?? [])
    return known.length === 0 ? null : new Date(known.reduce((a, b) => Math.max(a, b)))
  }

  /** Why something of this age is kept; undefined where it may be removed. */
  reasonToKeep(modifiedAt: Date | null): string | undefined {
    if (this.#olderThanMs === 0) return undefined
    if (modifiedAt === null) return 'the store does not say how old it is'
    if (modifiedAt.getTime() > this.#nowMs - this.#olderThanMs) return 'a backup that runs may own it'
    return undefined
  }
}
