import type { Progress, ProgressListener, ProgressPhase } from './progress.js'

/** Keeps the counts of one operation and tells its listener. */
export class ProgressMeter {
  readonly #phase: ProgressPhase
  readonly #listener: ProgressListener | undefined
  #total: number | undefined
  #done = 0
  #transferredBytes = 0
  #objects = 0

  constructor(phase: ProgressPhase, total: number | undefined, listener: ProgressListener | undefined) {
    this.#phase = phase
    this.#total = total
    this.#listener = listener
  }

  get done(): number {
    return this.#done
  }

  get objects(): number {
    return this.#objects
  }

  get transferredBytes(): number {
    return this.#transferredBytes
  }

  /** Counts and tells. Nothing but {@link finish} says 100 percent: what is counted is not committed yet. */
  add(counts: { done?: number; transferredBytes?: number; objects?: number }): void {
    this.#done += counts.done ?? 0
    this.#transferredBytes += counts.transferredBytes ?? 0
    this.#objects += counts.objects ?? 0
    const share = this.#total === undefined ? undefined : (100 * this.#done) / Math.max(1, this.#total)
    this.#tell(share === undefined ? undefined : Math.min(99.9, share))
  }

  /** The operation succeeded. */
  finish(): void {
    this.#total ??= this.#done
    this.#done = Math.max(this.#done, this.#total)
    this.#tell(100)
  }

  #tell(percent: number | undefined): void {
    if (!this.#listener) return
    const progress: Progress = {
      phase: this.#phase,
      done: this.#done,
      total: this.#total,
      percent,
      transferredBytes: this.#transferredBytes,
      objects: this.#objects,
    }
    this.#listener(progress)
  }
}
