import { coreCount } from '@stowage/compression-workers'

/** Holds a piece of 900,000 bytes, and most blocks opened: runs of equal bytes make those longer. */
export const usualBytes: number = 4 * 1024 * 1024

const mostKept = coreCount + 2

/**
 * Shared memory that goes to a worker with a job's input and comes back with its result. It is used again and again:
 * fresh memory for each piece costs as much as a tenth of its compression.
 */
let kept: Uint8Array[] = []

/** Gives memory of at least `lengthBytes`. */
export function takeMemory(lengthBytes: number): Uint8Array {
  if (lengthBytes > usualBytes) return new Uint8Array(new SharedArrayBuffer(lengthBytes))
  return kept.pop() ?? new Uint8Array(new SharedArrayBuffer(usualBytes))
}

/** Takes memory back, once nobody reads it. */
export function giveMemory(memory: Uint8Array): void {
  if (memory.length === usualBytes && kept.length < mostKept) kept.push(memory)
}

/** Leaves the memory that waits for jobs to the garbage collector. */
export function dropMemory(): void {
  kept = []
}
