import type {
  Progress,
  ProgressListener,
  ProgressPhase,
  ProgressStep,
  StepListener,
} from '../contracts/progress.js'

/** Of work within a chunk or an object, no more is told than an eye sees. */
const TELL_MOVES_MS = 100

/** Keeps the counts of one operation and tells its listener. */
export class ProgressMeter {
  readonly #phase: ProgressPhase
  readonly #listener: ProgressListener | undefined
  #total: number | undefined
  #done = 0
  #transferredBytes = 0
  #objects = 0
  #step: ProgressStep | undefined
  #toldAtMs = Number.NEGATIVE_INFINITY
  #listenerFailure: { readonly error: unknown } | undefined

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
    if (this.#listenerFailure) throw this.#listenerFailure.error
    if (counts.done !== undefined) this.#step = undefined
    this.#done += counts.done ?? 0
    this.#transferredBytes += counts.transferredBytes ?? 0
    this.#objects += counts.objects ?? 0
    this.#tellSoFar()
  }

  /** Reports a step in which no bytes of the volume move, until some do. */
  begin(step: ProgressStep): void {
    if (this.#listenerFailure) throw this.#listenerFailure.error
    this.#step = step
    this.#tellSoFar()
  }

  /**
   * Counts what is done of a chunk or an object that is not done yet, and tells of it a few times a second. It is called
   * from within requests and engines, which would take what the listener throws for a failure of their own: that is thrown
   * by the next {@link add} or {@link finish}.
   */
  move(doneBytes: number): void {
    this.#step = undefined
    this.#done += doneBytes
    if (!this.#listener || this.#listenerFailure || performance.now() - this.#toldAtMs < TELL_MOVES_MS) return
    try {
      this.#tellSoFar()
    } catch (error) {
      this.#listenerFailure = { error }
    }
  }

  #tellSoFar(): void {
    const share = this.#total === undefined ? undefined : (100 * this.#done) / Math.max(1, this.#total)
    this.#tell(share === undefined ? undefined : Math.min(99.9, share))
  }

  /** The operation succeeded. */
  finish(): void {
    if (this.#listenerFailure) throw this.#listenerFailure.error
    this.#step = undefined
    this.#total ??= this.#done
    this.#done = Math.max(this.#done, this.#total)
    this.#tell(100)
  }

  #tell(percent: number | undefined): void {
    if (!this.#listener) return
    this.#toldAtMs = performance.now()
    const progress: Progress = {
      phase: this.#phase,
      step: this.#step,
      done: this.#done,
      total: this.#total,
      percent,
      transferredBytes: this.#transferredBytes,
      objects: this.#objects,
    }
    this.#listener(progress)
  }
}

/**
 * What one piece, chunk or object is worth of an operation's bytes, counted while it is on its way. Its steps follow each
 * other, each up to a share of the whole. A step that begins again, since a request is sent again, counts nothing twice;
 * one that says nothing is counted with the next.
 */
export class Portion {
  readonly #meter: ProgressMeter
  readonly #worthBytes: number
  #countedBytes = 0

  constructor(meter: ProgressMeter, worthBytes: number) {
    this.#meter = meter
    this.#worthBytes = worthBytes
  }

  /** How many of its bytes have been counted. */
  get countedBytes(): number {
    return this.#countedBytes
  }

  /** @param share - of all steps, from 0 to 1 */
  reach(share: number): void {
    const bytes = Math.floor(this.#worthBytes * Math.min(1, share))
    if (bytes <= this.#countedBytes) return
    this.#meter.move(bytes - this.#countedBytes)
    this.#countedBytes = bytes
  }

  /** Counts a step that goes from one share to another. */
  step(fromShare: number, toShare: number): StepListener {
    return (reachedBytes, totalBytes) => {
      if (totalBytes > 0) this.reach(fromShare + (toShare - fromShare) * (reachedBytes / totalBytes))
    }
  }

  /** All steps are done. */
  finish(): void {
    this.reach(1)
  }
}
