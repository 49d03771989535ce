import type { ByteBudget } from './byte-budget.js'

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
