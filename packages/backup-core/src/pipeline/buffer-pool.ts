import { claimMemory, keepMemory, type MemoryUse } from './kept-memory.js'

/**
 * Chunk buffers, used again: fresh memory costs more than any hash of it. They lie in shared memory, so that workers
 * hash them without a copy. The budget says how many there may be.
 */
export class BufferPool {
  readonly #free: SharedArrayBuffer[]
  readonly #use: MemoryUse
  readonly #mostBytes: number
  readonly #leastBytes: number

  /**
   * Begins with what an earlier operation left.
   *
   * @param mostBytes - the most that may lie here unused when the work begins, and be left for the next when it ends
   * @param leastBytes - what a buffer has room for at least. Where lengths vary, one that the next does not fit into is
   * thrown away with all its pages; room that nobody touches has none
   */
  constructor(use: MemoryUse, mostBytes: number, leastBytes = 0) {
    this.#use = use
    this.#mostBytes = mostBytes
    this.#leastBytes = leastBytes
    this.#free = claimMemory(use, mostBytes)
  }

  /** A view of exactly `lengthBytes`, with old bytes in it. */
  take(lengthBytes: number): Uint8Array {
    // The smallest that it fits into: a large one is for what needs it.
    let best: SharedArrayBuffer | undefined
    for (const memory of this.#free) {
      if (memory.byteLength >= lengthBytes && memory.byteLength < (best?.byteLength ?? Infinity))
        best = memory
    }
    if (best) {
      this.#free.splice(this.#free.indexOf(best), 1)
      return new Uint8Array(best, 0, lengthBytes)
    }
    // One that is too small makes room for the larger one: the budget counts bytes in use, not those kept aside.
    this.#free.pop()
    const memory = new SharedArrayBuffer(Math.max(lengthBytes, this.#leastBytes))
    return new Uint8Array(memory, 0, lengthBytes)
  }

  give(buffer: Uint8Array): void {
    if (buffer.buffer instanceof SharedArrayBuffer) this.#free.push(buffer.buffer)
  }

  /** Leaves what is free to the next operation. Nothing may be taken any more. */
  close(): void {
    keepMemory(this.#use, this.#free.splice(0), this.#mostBytes)
  }
}
