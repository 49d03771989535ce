/**
 * Chunk buffers, used again: fresh memory costs more than any hash of it. They lie in shared memory, so that workers
 * hash them without a copy. The budget says how many there may be.
 */
export class BufferPool {
  readonly #free: Uint8Array[] = []

  /** A view of exactly `lengthBytes`, with old bytes in it. */
  take(lengthBytes: number): Uint8Array {
    const index = this.#free.findIndex((buffer) => buffer.buffer.byteLength >= lengthBytes)
    if (index >= 0) {
      const [found] = this.#free.splice(index, 1)
      if (found) return new Uint8Array(found.buffer, 0, lengthBytes)
    }
    // One that is too small makes room for the larger one: the budget counts bytes in use, not those kept aside.
    this.#free.pop()
    return new Uint8Array(new SharedArrayBuffer(lengthBytes), 0, lengthBytes)
  }

  give(buffer: Uint8Array): void {
    this.#free.push(buffer)
  }
}
