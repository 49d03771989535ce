import type { StepListener } from './progress.js'
import type { ProgressMeter } from './progress-meter.js'

/**
 * What one piece, chunk or object is worth of an operation's bytes, counted while it is on its way. Its steps follow each
 * other, each up to a share of the whole. A step that begins again, since a request is sent again, counts nothing twice;
 * one that says nothing is counted with the next.
 */
export class Portion {
  readonly #meter: ProgressMeter
  #worthBytes: number
  #countedBytes = 0

  constructor(meter: ProgressMeter, worthBytes: number) {
    this.#meter = meter
    this.#worthBytes = worthBytes
  }

  /** How many of its bytes have been counted. */
  get countedBytes(): number {
    return this.#countedBytes
  }

  /** It is shorter than was thought: a stream ended. */
  cutTo(worthBytes: number): void {
    this.#worthBytes = worthBytes
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
