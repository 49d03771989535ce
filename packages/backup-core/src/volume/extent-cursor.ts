import { BackupError } from '../errors/backup-error.js'
import { failedCall } from './checked-volume.js'
import { describeValue } from '../checks/check-options.js'
import type { VolumeExtent } from '../contracts/volume.js'

/** Goes along a source's own list of extents, which is ascending, one question after the other. */
export class ExtentCursor implements AsyncDisposable {
  readonly #extents: AsyncIterator<VolumeExtent> | Iterator<VolumeExtent>
  readonly #what: string
  readonly #signal: AbortSignal | undefined
  #next: VolumeExtent | undefined
  #ended = false
  #reachedBytes = 0

  /**
   * @param what - names the list in an error: `extents()`
   * @param signal - the one that the source was passed
   */
  constructor(
    extents: AsyncIterable<VolumeExtent> | Iterable<VolumeExtent>,
    what: string,
    signal?: AbortSignal,
  ) {
    this.#what = what
    this.#signal = signal
    this.#extents = iteratorOf(extents, what, signal)
  }

  /** What of the list lies between two offsets, cut to them. Each question begins where the last one ended, or after. */
  async within(startBytes: number, endBytes: number): Promise<VolumeExtent[]> {
    const found: VolumeExtent[] = []
    for (;;) {
      this.#next ??= await this.#pull()
      if (!this.#next) return found
      const { offsetBytes, lengthBytes } = this.#next
      const start = Math.max(startBytes, offsetBytes)
      const end = Math.min(endBytes, offsetBytes + lengthBytes)
      if (end > start) found.push({ offsetBytes: start, lengthBytes: end - start })
      if (offsetBytes + lengthBytes > endBytes) return found
      this.#next = undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const isOpen = !this.#ended
    this.#ended = true
    try {
      if (isOpen) await this.#extents.return?.()
    } catch {
      // Nothing more is asked of it, and what it said was checked.
    }
  }

  async #pull(): Promise<VolumeExtent | undefined> {
    if (this.#ended) return undefined
    const answer = await this.#ask()
    if (answer.done === true) {
      this.#ended = true
      return undefined
    }
    const value: unknown = answer.value
    if (typeof value !== 'object' || value === null) {
      const expected = 'expected an object with offsetBytes and lengthBytes'
      throw refused(this.#what, `gave ${describeValue(value)}, ${expected}`)
    }
    const { offsetBytes, lengthBytes } = answer.value
    const sound = (bytes: number): boolean => Number.isSafeInteger(bytes) && bytes >= 0
    if (!sound(offsetBytes) || !sound(lengthBytes) || offsetBytes < this.#reachedBytes) {
      throw refused(
        this.#what,
        `gave ${String(lengthBytes)} bytes at ${String(offsetBytes)}, after what ended at ${this.#reachedBytes}: extents have to be whole numbers, ascending and apart`,
      )
    }
    this.#reachedBytes = offsetBytes + lengthBytes
    return answer.value
  }

  async #ask(): Promise<IteratorResult<VolumeExtent>> {
    try {
      return await this.#extents.next()
    } catch (error) {
      this.#ended = true
      throw failedCall(this.#what, this.#signal, error)
    }
  }
}

function iteratorOf(
  extents: AsyncIterable<VolumeExtent> | Iterable<VolumeExtent>,
  what: string,
  signal: AbortSignal | undefined,
): AsyncIterator<VolumeExtent> | Iterator<VolumeExtent> {
  const given = extents as Partial<AsyncIterable<VolumeExtent> & Iterable<VolumeExtent>> | null | undefined
  try {
    const iterator = given?.[Symbol.asyncIterator]?.() ?? given?.[Symbol.iterator]?.()
    if (iterator) return iterator
  } catch (error) {
    throw failedCall(what, signal, error)
  }
  throw refused(what, `gave ${describeValue(extents)}, expected an iterable of extents`)
}

function refused(what: string, why: string): BackupError {
  return new BackupError('SOURCE_READ', `The source's ${what} ${why}.`)
}
