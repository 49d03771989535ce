import type { ChainLayer } from '../chain/chain-layer.js'
import type { VisibleObject } from '../chain/extent-map.js'
import type { StepListener } from '../progress/progress.js'

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
