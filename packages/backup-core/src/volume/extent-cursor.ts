import { BackupError } from '../errors/backup-error.js'
import type { VolumeExtent } from './volume.js'

/** Goes along a source's own list of extents, which is ascending, one question after the other. */
export class ExtentCursor implements AsyncDisposable {
  readonly #extents: AsyncIterator<VolumeExtent> | Iterator<VolumeExtent>
  readonly #what: string
  #next: VolumeExtent | undefined
  #ended = false
  #reachedBytes = 0

  /** @param what - names the list in an error: `extents()` */
  constructor(extents: AsyncIterable<VolumeExtent> | Iterable<VolumeExtent>, what: string) {
    this.#extents =
      Symbol.asyncIterator in extents ? extents[Symbol.asyncIterator]() : extents[Symbol.iterator]()
    this.#what = what
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
    if (!this.#ended) await this.#extents.return?.()
    this.#ended = true
  }

  async #pull(): Promise<VolumeExtent | undefined> {
    if (this.#ended) return undefined
    const answer = await this.#extents.next()
    if (answer.done === true) {
      this.#ended = true
      return undefined
    }
    const { offsetBytes, lengthBytes } = answer.value
    const sound = (bytes: number): boolean => Number.isSafeInteger(bytes) && bytes >= 0
    if (!sound(offsetBytes) || !sound(lengthBytes) || offsetBytes < this.#reachedBytes) {
      throw new BackupError(
        'SOURCE_READ',
        `The source's ${this.#what} gave ${String(lengthBytes)} bytes at ${String(offsetBytes)}, after what ended at ${this.#reachedBytes}: extents have to be whole numbers, ascending and apart.`,
      )
    }
    this.#reachedBytes = offsetBytes + lengthBytes
    return answer.value
  }
}
