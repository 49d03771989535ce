import { describeValue } from '../checks/check-options.js'
import type { VolumeExtent } from '../contracts/volume.js'
import {
  failedSourceCall,
  isByteCount,
  sourceError,
  type CallDescription,
  type Extents,
} from './checked-volume.js'

/** Walks the ascending list of extents of a source, one range of the volume after another. */
export class ExtentCursor implements AsyncDisposable {
  readonly #extents: AsyncGenerator<VolumeExtent, undefined>
  #next: VolumeExtent | undefined

  /**
   * @param what - names the list in an error: `extents()`
   * @param signal - the one that the source was passed
   */
  constructor(extents: Extents, what: string, signal?: AbortSignal) {
    this.#extents = checkedExtents(extents, { what, signal })
  }

  /** The extents between two offsets, cut to them. The ranges of successive calls must ascend without overlaps. */
  async within(startBytes: number, endBytes: number): Promise<VolumeExtent[]> {
    const found: VolumeExtent[] = []
    for (;;) {
      this.#next ??= (await this.#extents.next()).value
      if (!this.#next) return found
      const { offsetBytes, lengthBytes } = this.#next
      const start = Math.max(startBytes, offsetBytes)
      const end = Math.min(endBytes, offsetBytes + lengthBytes)
      if (end > start) found.push({ offsetBytes: start, lengthBytes: end - start })
      if (offsetBytes + lengthBytes > endBytes) return found
      this.#next = undefined
    }
  }

  /** Stops the list. Its errors are ignored: it is not used any more, and what it yielded was validated. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#extents.return(undefined).catch(() => undefined)
  }
}

async function* checkedExtents(
  extents: Extents,
  description: CallDescription,
): AsyncGenerator<VolumeExtent, undefined, undefined> {
  const { what } = description
  const given = extents as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined
  let reachedBytes = 0
  try {
    if (!given?.[Symbol.asyncIterator] && !given?.[Symbol.iterator])
      throw sourceError(`${what} returned ${describeValue(extents)}, expected an iterable of extents`)
    for await (const extent of extents) {
      const value: unknown = extent
      if (typeof value !== 'object' || value === null) {
        const expected = 'expected an object with offsetBytes and lengthBytes'
        throw sourceError(`${what} yielded ${describeValue(value)}, ${expected}`)
      }
      const { offsetBytes, lengthBytes } = extent
      if (!isByteCount(offsetBytes) || !isByteCount(lengthBytes) || offsetBytes < reachedBytes) {
        const yielded = `${String(lengthBytes)} bytes at ${String(offsetBytes)}, after an extent that ends at ${reachedBytes}`
        throw sourceError(
          `${what} yielded ${yielded}: extents must be whole numbers, ascending and without overlaps`,
        )
      }
      reachedBytes = offsetBytes + lengthBytes
      yield extent
    }
    return undefined
  } catch (error) {
    throw failedSourceCall(description, error)
  }
}
