/** What a memory is for. Of buffers for stored forms only what such a form takes has ever been touched. */
export type MemoryUse = 'raw' | 'stored'

/** Long enough for the next of many backups, short enough that a service does not hold for long what it does not use. */
const KEEP_MS = 10_000

const kept: Record<MemoryUse, SharedArrayBuffer[]> = { raw: [], stored: [] }
let timer: NodeJS.Timeout | undefined

/**
 * Keeps memory for the next operation of this process, for ten seconds: fresh memory costs more than any hash of what
 * comes to lie in it. The newest of it is kept, up to `mostBytes`.
 */
export function keepMemory(use: MemoryUse, memory: readonly SharedArrayBuffer[], mostBytes: number): void {
  kept[use] = fitting([...memory, ...kept[use]], mostBytes)
  clearTimeout(timer)
  timer = setTimeout(() => {
    kept.raw = []
    kept.stored = []
  }, KEEP_MS)
  // Nothing that waits for it has anything left to do.
  timer.unref()
}

/** Hands over what is kept, up to `mostBytes`, and lets go of the rest: an operation holds no more than it may. */
export function claimMemory(use: MemoryUse, mostBytes: number): SharedArrayBuffer[] {
  const claimed = fitting(kept[use], mostBytes)
  kept[use] = []
  return claimed
}

function fitting(memory: readonly SharedArrayBuffer[], mostBytes: number): SharedArrayBuffer[] {
  let leftBytes = mostBytes
  return memory.filter(({ byteLength }) => {
    if (byteLength > leftBytes) return false
    leftBytes -= byteLength
    return true
  })
}

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
