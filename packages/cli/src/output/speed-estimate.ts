/** The window that speed is averaged over: long enough to be steady, short enough to show a store that slows down. */
const windowMs = 10_000
/** Below this the speed, and the remaining time, would be a guess. */
const minElapsedMs = 500

interface Sample {
  readonly atMs: number
  readonly done: number
}

/** Estimates speed and remaining time, on a clock that the caller passes. */
export class SpeedEstimate {
  readonly #startMs: number
  #samples: Sample[]

  constructor(startMs: number) {
    this.#startMs = startMs
    this.#samples = [{ atMs: startMs, done: 0 }]
  }

  /** Adds a sample. */
  add(done: number, nowMs: number): void {
    this.#samples.push({ atMs: nowMs, done })
    // The newest sample from before the window stays, as its edge.
    const firstInside = this.#samples.findIndex(({ atMs }) => atMs > nowMs - windowMs)
    if (firstInside > 1) this.#samples.splice(0, firstInside - 1)
  }

  /** Units per second over the window; undefined while unknown. */
  perSecond(nowMs: number): number | undefined {
    const oldest = this.#samples[0]
    const newest = this.#samples.at(-1)
    if (!oldest || !newest) return undefined
    const elapsedMs = nowMs - oldest.atMs
    return elapsedMs < minElapsedMs ? undefined : ((newest.done - oldest.done) * 1000) / elapsedMs
  }

  /** Milliseconds until `total` is done at this speed; undefined while unknown. */
  leftMs(total: number, nowMs: number): number | undefined {
    const speed = this.perSecond(nowMs)
    const done = this.#samples.at(-1)?.done ?? 0
    if (done >= total) return 0
    return speed === undefined || speed <= 0 ? undefined : ((total - done) / speed) * 1000
  }

  elapsedMs(nowMs: number): number {
    return nowMs - this.#startMs
  }
}
