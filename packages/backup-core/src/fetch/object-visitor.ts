import type { ChainLayer } from '../chain/chain.js'
import type { VisibleObject } from '../chain/extent-map.js'
import type { StepListener } from '../contracts/progress.js'
import { Portion, type ProgressMeter } from '../pipeline/progress-meter.js'

/** Told how far an object is on its way to the visitor. */
export interface FetchSteps {
  readonly fetched: StepListener
  readonly opened: StepListener
  /** Both in one: an object is read in pieces, for its check. */
  readonly checked: StepListener
}

/** What to do with objects, several of them concurrently. */
export interface ObjectVisitor {
  /**
   * Takes an object's bytes, which have its MD5, or its blocks' hashes: all in one call, or in pieces in order where
   * memory does not hold it or little of it is visible. They are only good until the promise resolves.
   *
   * @param offsetBytes - where in the volume the bytes begin
   */
  visit(item: VisibleObject, bytes: Uint8Array, offsetBytes: number): Promise<void>
  /** The object is about to be fetched. */
  begin?(item: VisibleObject): FetchSteps
  /** The object is done, and is not needed any more. */
  done(item: VisibleObject, storedBytes: number): void
  /** Decides on a failure: returns to go on without the object, or throws. @default throws */
  failed?(item: VisibleObject, layer: ChainLayer, error: unknown): void
}

/** Half of an object's way is to fetch it, and to open it where it is compressed; what the visitor does is the other half. */
const HERE_SHARE = 1 / 2

interface OnItsWay {
  readonly portion: Portion
  readonly worthBytes: number
  readonly used: StepListener
  usedBytes: number
}

/** The objects of a restore or a verification that are on their way, as its progress counts them. */
export class ObjectPortions {
  readonly #meter: ProgressMeter
  readonly #worthBytes: (item: VisibleObject) => number
  readonly #portions = new Map<VisibleObject, OnItsWay>()

  /** @param worthBytes - how many bytes an object counts */
  constructor(meter: ProgressMeter, worthBytes: (item: VisibleObject) => number) {
    this.#meter = meter
    this.#worthBytes = worthBytes
  }

  begin(item: VisibleObject): FetchSteps {
    const { portion } = this.#of(item)
    const fetchedShare = item.object.compression === 'none' ? HERE_SHARE : HERE_SHARE / 2
    return {
      fetched: portion.step(0, fetchedShare),
      opened: portion.step(fetchedShare, HERE_SHARE),
      checked: portion.step(0, HERE_SHARE),
    }
  }

  /** The visitor has done its work on so many more of the bytes that the object counts. */
  use(item: VisibleObject, lengthBytes: number): void {
    const state = this.#of(item)
    state.usedBytes += lengthBytes
    state.used(state.usedBytes, state.worthBytes)
  }

  finish(item: VisibleObject, storedBytes: number): void {
    this.#of(item).portion.finish()
    this.#portions.delete(item)
    this.#meter.add({ transferredBytes: storedBytes, objects: 1 })
  }

  #of(item: VisibleObject): OnItsWay {
    const known = this.#portions.get(item)
    if (known) return known
    const worthBytes = this.#worthBytes(item)
    const portion = new Portion(this.#meter, worthBytes)
    const state = { portion, used: portion.step(HERE_SHARE, 1), worthBytes, usedBytes: 0 }
    this.#portions.set(item, state)
    return state
  }
}
