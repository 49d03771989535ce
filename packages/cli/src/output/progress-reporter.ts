import type { Progress } from '@stowage/backup-core'
import { widthOf } from '../io.js'
import type { TextSink } from '../io.js'
import { SpeedEstimate } from './speed-estimate.js'
import { barLine, plainLine } from './progress-text.js'

/** Ten times a second looks continuous. */
const redrawMs = 100
/** A line every ten seconds shows that a long job is not hung, and keeps the log readable. */
const logMs = 10_000
/** Clears the line of the cursor. */
export const eraseLine = '\r\u001b[2K'

/** Shows the progress of an operation. */
export interface ProgressReporter {
  update(progress: Progress): void
  /** Clears the bar, so that a line can be written; the next update draws it again. */
  clear(): void
}

/** A progress bar for a terminal. */
export class ProgressBar implements ProgressReporter {
  readonly #sink: TextSink
  readonly #nowMs: () => number
  readonly #meter: SpeedEstimate
  #drawnAtMs = Number.NEGATIVE_INFINITY
  #drawnStep: Progress['step']
  #isDrawn = false

  constructor(sink: TextSink, nowMs: () => number) {
    this.#sink = sink
    this.#nowMs = nowMs
    this.#meter = new SpeedEstimate(nowMs())
  }

  update(progress: Progress): void {
    const nowMs = this.#nowMs()
    this.#meter.add(progress.done, nowMs)
    // The next report may come only after the step.
    if (nowMs - this.#drawnAtMs < redrawMs && progress.step === this.#drawnStep) return
    this.#drawnAtMs = nowMs
    this.#drawnStep = progress.step
    this.#isDrawn = true
    this.#sink.write(eraseLine + barLine(progress, this.#meter, nowMs, widthOf(this.#sink, 80)))
  }

  clear(): void {
    if (this.#isDrawn) this.#sink.write(eraseLine)
    this.#isDrawn = false
    this.#drawnAtMs = Number.NEGATIVE_INFINITY
  }
}

/** Lines at intervals, for a log. A job that ends before the first interval writes none. */
export class ProgressLog implements ProgressReporter {
  readonly #sink: TextSink
  readonly #nowMs: () => number
  readonly #meter: SpeedEstimate
  #saidAtMs: number

  constructor(sink: TextSink, nowMs: () => number) {
    this.#sink = sink
    this.#nowMs = nowMs
    this.#saidAtMs = nowMs()
    this.#meter = new SpeedEstimate(this.#saidAtMs)
  }

  update(progress: Progress): void {
    const nowMs = this.#nowMs()
    this.#meter.add(progress.done, nowMs)
    if (nowMs - this.#saidAtMs < logMs) return
    this.#saidAtMs = nowMs
    this.#sink.write(`stowage: ${plainLine(progress, this.#meter, nowMs)}\n`)
  }

  clear(): void {
    // Lines of a log are not cleared.
  }
}
