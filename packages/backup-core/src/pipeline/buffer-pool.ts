import { claimMemory, keepMemory, type MemoryUse } from './kept-memory.js'

/** How many times as long as what it is for a buffer may be: a small object that holds a chunk's has another one made. */
const MOST_ROOM = 8

/**
 * Chunk buffers, used again: fresh memory costs more than any hash of it. They lie in shared memory, so that workers
 * hash them without a copy. The budget says how many there may be.
 */
export class BufferPool {
  readonly #free: SharedArrayBuffer[]
  readonly #use: MemoryUse
  readonly #mostBytes: number
  readonly #leastBytes: number
  /** Of all buffers, in use or free. */
  #heldBytes: number

  /**
   * Begins with what an earlier operation left.
   *
   * @param mostBytes - the most that may lie here unused when the work begins, and be left for the next when it ends;
   * what is made meanwhile takes the place of what is free, as soon as both would be more
   * @param leastBytes - what a buffer has room for at least. Where lengths vary, one that the next does not fit into is
   * of no use to it; room that nobody touches has no pages
   */
  constructor(use: MemoryUse, mostBytes: number, leastBytes = 0) {
    this.#use = use
    this.#mostBytes = mostBytes
    this.#leastBytes = leastBytes
    this.#free = claimMemory(use, mostBytes)
    this.#heldBytes = this.#free.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  /** A view of exactly `lengthBytes`, with old bytes in it. */
  take(lengthBytes: number): Uint8Array {
    const wantedBytes = Math.max(lengthBytes, this.#leastBytes)
    const fitting = this.#takeFitting(lengthBytes, wantedBytes * MOST_ROOM)
    if (fitting) return new Uint8Array(fitting, 0, lengthBytes)
    // The budget counts bytes in use, not those kept aside.
    while (this.#heldBytes + wantedBytes > this.#mostBytes) {
      const dropped = this.#free.pop()
      if (!dropped) break
      this.#heldBytes -= dropped.byteLength
    }
    this.#heldBytes += wantedBytes
    return new Uint8Array(new SharedArrayBuffer(wantedBytes), 0, lengthBytes)
  }

  give(buffer: Uint8Array): void {
    if (buffer.buffer instanceof SharedArrayBuffer) this.#free.push(buffer.buffer)
  }

  /** Leaves what is free to the next operation. Nothing may be taken any more. */
  close(): void {
    keepMemory(this.#use, this.#free.splice(0), this.#mostBytes)
  }

  /** The smallest that has room: a large one is for what needs it. */
  #takeFitting(lengthBytes: number, mostBytes: number): SharedArrayBuffer | undefined {
    let best: SharedArrayBuffer | undefined
    for (const memory of this.#free) {
      const { byteLength } = memory
      if (byteLength >= lengthBytes && byteLength <= mostBytes && byteLength < (best?.byteLength ?? Infinity))
        best = memory
    }
    if (best) this.#free.splice(this.#free.indexOf(best), 1)
    return best
  }
}
