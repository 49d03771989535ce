/** Lets the event loop run everything else that waits. */
export const yieldToEventLoop = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve)
  })

/** How long work on the main thread may go on before the event loop runs. */
const maxBusyMs = 0.8

/** Keeps a loop on the main thread from blocking the event loop. */
export class EventLoopYielder {
  #startedMs = performance.now()

  /** Whether the steps since the last time took long enough. */
  get isDue(): boolean {
    return performance.now() - this.#startedMs >= maxBusyMs
  }

  /** To be awaited between steps: yields when it is due. */
  async yieldIfDue(): Promise<void> {
    if (!this.isDue) return
    await yieldToEventLoop()
    this.#startedMs = performance.now()
  }
}

/** How much is copied between two checks of the clock: fresh memory takes about half a millisecond for this. */
const copyStepBytes = 128 * 1024

/** Copies parts to the beginning of `target`, one after the other, without blocking the event loop. */
export async function copyInSteps(parts: readonly Uint8Array[], target: Uint8Array): Promise<void> {
  const yielder = new EventLoopYielder()
  let end = 0
  for (const part of parts) {
    for (let at = 0; at < part.length; at += copyStepBytes) {
      const step = part.subarray(at, at + copyStepBytes)
      target.set(step, end)
      end += step.length
      await yielder.yieldIfDue()
    }
  }
}
