/** The maximum capacity of a buffer, as a multiple of its use: a small object must not occupy the buffer of a chunk. */
const MAX_CAPACITY_FACTOR = 8

/**
 * A pool of chunk buffers: first-touch page faults cost more than hashing the data. They are in shared memory, so that
 * workers hash them without a copy. The budget limits how many are in use.
 */
export class BufferPool {
  readonly #free: SharedArrayBuffer[] = []
  readonly #maxBytes: number
  readonly #minBytes: number
  /** The memory of all buffers, in use or free. */
  #heldBytes = 0

  /**
   * @param maxBytes - the maximum of this pool's memory, in use or free. A new buffer replaces free ones where it would be
   *   exceeded
   * @param minBytes - the minimum capacity of a buffer. Where lengths vary, the next use may need more than this one;
   *   memory that is not touched takes no pages
   */
  constructor(maxBytes: number, minBytes = 0) {
    this.#maxBytes = maxBytes
    this.#minBytes = minBytes
  }

  /** Returns a view of exactly `lengthBytes`, with old content. */
  take(lengthBytes: number): Uint8Array {
    const wantedBytes = Math.max(lengthBytes, this.#minBytes)
    const fitting = this.#takeFitting(lengthBytes, wantedBytes * MAX_CAPACITY_FACTOR)
    if (fitting) return new Uint8Array(fitting, 0, lengthBytes)
    // The budget counts the bytes in use alone, not those of free buffers.
    while (this.#heldBytes + wantedBytes > this.#maxBytes) {
      const dropped = this.#free.pop()
      if (!dropped) break
      this.#heldBytes -= dropped.byteLength
    }
    this.#heldBytes += wantedBytes
    return new Uint8Array(new SharedArrayBuffer(wantedBytes), 0, lengthBytes)
  }

  release(buffer: Uint8Array): void {
    if (buffer.buffer instanceof SharedArrayBuffer) this.#free.push(buffer.buffer)
  }

  /** Returns the smallest free buffer that is large enough: large ones are for those that need them. */
  #takeFitting(lengthBytes: number, maxBytes: number): SharedArrayBuffer | undefined {
    let best: SharedArrayBuffer | undefined
    for (const memory of this.#free) {
      const { byteLength } = memory
      if (byteLength >= lengthBytes && byteLength <= maxBytes && byteLength < (best?.byteLength ?? Infinity))
        best = memory
    }
    if (best) this.#free.splice(this.#free.indexOf(best), 1)
    return best
  }
}
