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
