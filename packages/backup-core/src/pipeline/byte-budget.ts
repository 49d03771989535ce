interface Waiter {
  readonly bytes: number
  readonly resolve: () => void
  readonly reject: (reason: Error) => void
}

/**
 * The one place that bounds what an operation holds in memory: nothing of a chunk's size is allocated before its
 * bytes are taken here. Work under way goes before new work, so that what is held drains first.
 *
 * No caller waits for bytes while it holds bytes, with one exception: work under way may wait for at most the reserve,
 * once. So every wait ends: what is held is given back without waiting, and the reserve is free again.
 */
export class ByteBudget {
  readonly #capacityBytes: number
  readonly #reserveBytes: number
  #usedBytes = 0
  readonly #underway: Waiter[] = []
  readonly #fresh: Waiter[] = []
  #failure: { readonly reason: Error } | undefined

  /** @param reserveBytes - what new work may not take, so that work under way can always go on */
  constructor(capacityBytes: number, reserveBytes = 0) {
    this.#capacityBytes = capacityBytes
    this.#reserveBytes = reserveBytes
  }

  /**
   * Waits for room. One that asks for more than there is gets it when nothing else is held: a single large object
   * passes, alone.
   *
   * @param kind - `fresh`: the caller holds nothing. `underway`: the caller holds what it took as `fresh`, and takes all
   * that it still needs in this one call.
   * @throws RangeError where work under way asks for more than the reserve: it could wait for itself
   */
  take(bytes: number, kind: 'fresh' | 'underway'): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure.reason)
    if (kind === 'underway' && bytes > this.#reserveBytes) {
      const message = `${bytes} bytes exceed the reserve of ${this.#reserveBytes} bytes for work under way.`
      return Promise.reject(new RangeError(message))
    }
    const queue = kind === 'fresh' ? this.#fresh : this.#underway
    return new Promise((resolve, reject) => {
      queue.push({ bytes, resolve, reject })
      this.#admit()
    })
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes
    this.#admit()
  }

  /** Rejects whoever waits, now and later. */
  fail(reason: Error): void {
    this.#failure ??= { reason }
    for (const waiter of [...this.#underway.splice(0), ...this.#fresh.splice(0)]) waiter.reject(reason)
  }

  #admit(): void {
    for (;;) {
      const queue = this.#underway.length > 0 ? this.#underway : this.#fresh
      const next = queue[0]
      if (!next) return
      const limitBytes = this.#capacityBytes - (queue === this.#fresh ? this.#reserveBytes : 0)
      if (this.#usedBytes > 0 && this.#usedBytes + next.bytes > limitBytes) return
      queue.shift()
      this.#usedBytes += next.bytes
      next.resolve()
    }
  }
}

/**
 * The bytes of a {@link ByteBudget} that one item holds. It can become smaller at any time; to become larger, the item
 * gives back all of it first, since an item that waits while it holds bytes may wait for another that does the same.
 */
export class BudgetShare {
  readonly #budget: ByteBudget
  #bytes = 0

  private constructor(budget: ByteBudget) {
    this.#budget = budget
  }

  /** Waits for the bytes of a new item. */
  static async take(budget: ByteBudget, bytes: number): Promise<BudgetShare> {
    const share = new BudgetShare(budget)
    await share.retake(bytes)
    return share
  }

  /** What is held now. */
  get bytes(): number {
    return this.#bytes
  }

  /** Gives back all but so much. */
  keepOnly(bytes: number): void {
    const surplusBytes = this.#bytes - bytes
    if (surplusBytes <= 0) return
    this.#bytes = bytes
    this.#budget.give(surplusBytes)
  }

  /** Gives back everything, then waits for so much. The caller must have returned its buffers before. */
  async retake(bytes: number): Promise<void> {
    this.keepOnly(0)
    await this.#budget.take(bytes, 'fresh')
    this.#bytes = bytes
  }
}
