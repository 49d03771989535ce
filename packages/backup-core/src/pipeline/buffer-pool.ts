/** The use of a buffer. Only the part of a buffer for stored forms that such a form took has ever been touched. */
export type MemoryUse = 'raw' | 'stored'

/** Long enough for the next of many backups, short enough that a service frees the memory that it does not use. */
const KEEP_MS = 10_000

const kept: Record<MemoryUse, SharedArrayBuffer[]> = { raw: [], stored: [] }
let timer: NodeJS.Timeout | undefined

/**
 * Keeps memory for the next operation of this process, for ten seconds: first-touch page faults cost more than hashing the
 * data. The newest memory is kept, up to `maxBytes`.
 */
export function keepMemory(use: MemoryUse, memory: readonly SharedArrayBuffer[], maxBytes: number): void {
  kept[use] = fitting([...memory, ...kept[use]], maxBytes)
  clearTimeout(timer)
  timer = setTimeout(() => {
    kept.raw = []
    kept.stored = []
  }, KEEP_MS)
  // The timer must not keep the process alive.
  timer.unref()
}

/** Returns the kept memory, up to `maxBytes`, and frees the rest: an operation does not exceed its limit. */
export function claimMemory(use: MemoryUse, maxBytes: number): SharedArrayBuffer[] {
  const claimed = fitting(kept[use], maxBytes)
  kept[use] = []
  return claimed
}

function fitting(memory: readonly SharedArrayBuffer[], maxBytes: number): SharedArrayBuffer[] {
  let leftBytes = maxBytes
  return memory.filter(({ byteLength }) => {
    if (byteLength > leftBytes) return false
    leftBytes -= byteLength
    return true
  })
}

/** The maximum capacity of a buffer, as a multiple of its use: a small object must not occupy the buffer of a chunk. */
const MAX_CAPACITY_FACTOR = 8

/**
 * A pool of chunk buffers: first-touch page faults cost more than hashing the data. They are in shared memory, so that
 * workers hash them without a copy. The budget limits how many are in use.
 */
export class BufferPool {
  readonly #free: SharedArrayBuffer[]
  readonly #use: MemoryUse
  readonly #maxBytes: number
  readonly #minBytes: number
  /** The memory of all buffers, in use or free. */
  #heldBytes: number

  /**
   * Begins with the memory of an earlier operation.
   *
   * @param maxBytes - the maximum of unused memory, at the beginning and for the next operation. A new buffer replaces free
   *   ones where both together would exceed it
   * @param minBytes - the minimum capacity of a buffer. Where lengths vary, the next use may need more than this one;
   *   memory that is not touched takes no pages
   */
  constructor(use: MemoryUse, maxBytes: number, minBytes = 0) {
    this.#use = use
    this.#maxBytes = maxBytes
    this.#minBytes = minBytes
    this.#free = claimMemory(use, maxBytes)
    this.#heldBytes = this.#free.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  /** Returns a view of exactly `lengthBytes`, with old content. */
  take(lengthBytes: number): Uint8Array {
    const wantedBytes = Math.max(lengthBytes, this.#minBytes)
    const fitting = this.#takeFitting(lengthBytes, wantedBytes * MAX_CAPACITY_FACTOR)
    if (fitting) return new Uint8Array(fitting, 0, lengthBytes)
    // The budget counts bytes in use, not those of free buffers.
    while (this.#heldBytes + wantedBytes > this.#maxBytes) {
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

  /** Keeps the free memory for the next operation. No buffer may be taken any more. */
  close(): void {
    keepMemory(this.#use, this.#free.splice(0), this.#maxBytes)
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
