interface Waiter {
  readonly bytes: number
  readonly resolve: () => void
  readonly reject: (reason: Error) => void
}

/**
 * Limits the memory of an operation: no buffer of a chunk's size is allocated before its bytes are taken here. Work in
 * progress has priority over new work, so that it is finished first.
 *
 * No caller waits for bytes while it holds bytes, with one exception: work in progress may wait for at most the reserve,
 * once. So every wait ends: the bytes in use are returned without waiting, and the reserve is free again.
 */
export class ByteBudget {
  readonly #capacityBytes: number
  readonly #reserveBytes: number
  #usedBytes = 0
  readonly #inProgress: Waiter[] = []
  readonly #new: Waiter[] = []
  #failure: { readonly reason: Error } | undefined

  /** @param reserveBytes - the bytes that new work may not take, so that work in progress can always continue */
  constructor(capacityBytes: number, reserveBytes = 0) {
    this.#capacityBytes = capacityBytes
    this.#reserveBytes = reserveBytes
  }

  /**
   * Waits for bytes. A request for more than the capacity is granted when nothing else is in use: a single large object
   * is worked on alone.
   *
   * @param kind - `new`: the caller holds nothing. `inProgress`: the caller holds the bytes that it took as `new`, and
   * takes all that it still needs in this one call.
   * @throws RangeError where work in progress requests more than the reserve: it could wait for itself
   */
  take(bytes: number, kind: 'new' | 'inProgress'): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure.reason)
    if (kind === 'inProgress' && bytes > this.#reserveBytes) {
      const message = `${bytes} bytes exceed the reserve of ${this.#reserveBytes} bytes for work in progress.`
      return Promise.reject(new RangeError(message))
    }
    const queue = kind === 'new' ? this.#new : this.#inProgress
    return new Promise((resolve, reject) => {
      queue.push({ bytes, resolve, reject })
      this.#admit()
    })
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes
    this.#admit()
  }

  /** Rejects all waits, now and later. */
  fail(reason: Error): void {
    this.#failure ??= { reason }
    for (const waiter of [...this.#inProgress.splice(0), ...this.#new.splice(0)]) waiter.reject(reason)
  }

  #admit(): void {
    for (;;) {
      const queue = this.#inProgress.length > 0 ? this.#inProgress : this.#new
      const next = queue[0]
      if (!next) return
      const limitBytes = this.#capacityBytes - (queue === this.#new ? this.#reserveBytes : 0)
      if (this.#usedBytes > 0 && this.#usedBytes + next.bytes > limitBytes) return
      queue.shift()
      this.#usedBytes += next.bytes
      next.resolve()
    }
  }
}

/**
 * The bytes of a {@link ByteBudget} that one item holds. They can be reduced at any time. To take more, the item returns
 * all of them first, since an item that waits while it holds bytes may wait for another that does the same.
 */
export class MemoryLease {
  readonly #budget: ByteBudget
  #bytes = 0

  private constructor(budget: ByteBudget) {
    this.#budget = budget
  }

  /** Waits for the bytes of a new item. */
  static async take(budget: ByteBudget, bytes: number): Promise<MemoryLease> {
    const lease = new MemoryLease(budget)
    await lease.retake(bytes)
    return lease
  }

  /** The number of bytes that are held. */
  get bytes(): number {
    return this.#bytes
  }

  /** Returns all but so many bytes. */
  keepOnly(bytes: number): void {
    const surplusBytes = this.#bytes - bytes
    if (surplusBytes <= 0) return
    this.#bytes = bytes
    this.#budget.release(surplusBytes)
  }

  /** Returns everything, then waits for so many bytes. The caller must have returned its buffers before. */
  async retake(bytes: number): Promise<void> {
    this.keepOnly(0)
    await this.#budget.take(bytes, 'new')
    this.#bytes = bytes
  }
}
