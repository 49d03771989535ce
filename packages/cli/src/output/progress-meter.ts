/** Speed is taken over the last seconds: long enough to be steady, short enough to notice a store that slows down. */
const windowMs = 10_000
/** With less than this behind it a speed is a guess, and the time left a wild one. */
const leastMs = 500

interface Sample {
  readonly atMs: number
  readonly done: number
}

/** How fast something goes, and how long it will take. Pure arithmetic on a clock that is handed in. */
export class ProgressMeter {
  readonly #startMs: number
  #samples: Sample[]

  constructor(startMs: number) {
    this.#startMs = startMs
    this.#samples = [{ atMs: startMs, done: 0 }]
  }

  /** Takes note of how much is done. */
  add(done: number, nowMs: number): void {
    this.#samples.push({ atMs: nowMs, done })
    // The newest sample from before the window stays, as its edge.
    const firstInside = this.#samples.findIndex(({ atMs }) => atMs > nowMs - windowMs)
    if (firstInside > 1) this.#samples.splice(0, firstInside - 1)
  }

  /** Units a second over the last seconds; undefined while it cannot be told. */
  perSecond(nowMs: number): number | undefined {
    const oldest = this.#samples[0]
    const newest = this.#samples.at(-1)
    if (!oldest || !newest) return undefined
    const elapsedMs = nowMs - oldest.atMs
    return elapsedMs < leastMs ? undefined : ((newest.done - oldest.done) * 1000) / elapsedMs
  }

  /** Milliseconds until `total` is done at this speed; undefined while it cannot be told. */
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
