/** Lets everything else that waits run before this goes on. */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    // Outside Node there may be no setImmediate.
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })

/** How long work on the main thread may go on before others get a turn. */
const longestTurnMs = 0.8

/** Keeps a loop on the main thread from holding it for long. */
export class Turns {
  #startedMs = performance.now()

  /** To be awaited between steps: gives the others a turn when this one has lasted long enough. */
  async give(): Promise<void> {
    if (performance.now() - this.#startedMs < longestTurnMs) return
    await nextTurn()
    this.#startedMs = performance.now()
  }
}
