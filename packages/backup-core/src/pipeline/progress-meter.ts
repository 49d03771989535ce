import type {
  Progress,
  ProgressListener,
  ProgressPhase,
  ProgressStep,
  ByteProgressListener,
} from '../contracts/progress.js'

/** The minimum interval of reports about work within a chunk or an object. */
const REPORT_INTERVAL_MS = 100

/** Counts the progress of one operation, and reports it to the listener. */
export class ProgressMeter {
  readonly #phase: ProgressPhase
  readonly #listener: ProgressListener | undefined
  #total: number | undefined
  #done = 0
  #transferredBytes = 0
  #objects = 0
  #step: ProgressStep | undefined
  #reportedAtMs = Number.NEGATIVE_INFINITY

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

  /** Counts, and reports. Only {@link finish} reports 100 percent: until then the operation is not committed. */
  add(counts: { done?: number; transferredBytes?: number; objects?: number }): void {
    if (counts.done !== undefined) this.#step = undefined
    this.#done += counts.done ?? 0
    this.#transferredBytes += counts.transferredBytes ?? 0
    this.#objects += counts.objects ?? 0
    this.#reportProgress()
  }

  /** Reports a step in which no bytes of the volume are processed. */
  begin(step: ProgressStep): void {
    this.#step = step
    this.#reportProgress()
  }

  /** Counts progress within a chunk or an object, and reports it a few times a second. */
  move(doneBytes: number): void {
    this.#step = undefined
    this.#done += doneBytes
    if (performance.now() - this.#reportedAtMs >= REPORT_INTERVAL_MS) this.#reportProgress()
  }

  #reportProgress(): void {
    const percent = this.#total === undefined ? undefined : (100 * this.#done) / Math.max(1, this.#total)
    this.#report(percent === undefined ? undefined : Math.min(99.9, percent))
  }

  /** Reports the success of the operation. */
  finish(): void {
    this.#step = undefined
    this.#total ??= this.#done
    this.#done = Math.max(this.#done, this.#total)
    this.#report(100)
  }

  #report(percent: number | undefined): void {
    if (!this.#listener) return
    this.#reportedAtMs = performance.now()
    const progress: Progress = {
      phase: this.#phase,
      step: this.#step,
      done: this.#done,
      total: this.#total,
      percent,
      transferredBytes: this.#transferredBytes,
      objects: this.#objects,
    }
    try {
      this.#listener(progress)
    } catch {
      // Documented with ProgressListener.
    }
  }
}

/**
 * The part of one piece, chunk or object in an operation's progress. Its steps follow each other, each up to a fraction of
 * the whole. A step that is repeated, since a request is retried, counts nothing twice; one that reports nothing is counted
 * with the next.
 */
export class Portion {
  readonly #meter: ProgressMeter
  readonly #totalBytes: number
  #countedBytes = 0

  constructor(meter: ProgressMeter, totalBytes: number) {
    this.#meter = meter
    this.#totalBytes = totalBytes
  }

  /** How many of its bytes have been counted. */
  get countedBytes(): number {
    return this.#countedBytes
  }

  /** @param fraction - of all steps, from 0 to 1 */
  reach(fraction: number): void {
    const bytes = Math.floor(this.#totalBytes * Math.min(1, fraction))
    if (bytes <= this.#countedBytes) return
    this.#meter.move(bytes - this.#countedBytes)
    this.#countedBytes = bytes
  }

  /** Counts a step that goes from one fraction to another. */
  step(fromFraction: number, toFraction: number): ByteProgressListener {
    return (reachedBytes, totalBytes) => {
      if (totalBytes > 0) this.reach(fromFraction + (toFraction - fromFraction) * (reachedBytes / totalBytes))
    }
  }

  /** Counts all steps. */
  finish(): void {
    this.reach(1)
  }
}
