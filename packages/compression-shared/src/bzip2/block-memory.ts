import { coreCount } from '../workers.js'

/** Holds a piece to compress, and most decompressed blocks: runs of equal bytes make some longer. */
export const usualBlockBytes: number = 4 * 1024 * 1024

/** As many as jobs run, and one that waits for each of two objects. */
const maxUnused = coreCount + 2

/**
 * Shared memory of jobs that have ended, for the next ones, of this object or of another. As garbage, which is collected
 * late, it took a restore of 512 MiB from 266 to 341 MiB. Only what a block filled takes pages: a megabyte of each.
 */
const unused: Uint8Array[] = []

/** Returns memory for a job, of at least that length. */
export function takeBlockMemory(lengthBytes: number): Uint8Array {
  const used = lengthBytes <= usualBlockBytes ? unused.pop() : undefined
  return used ?? new Uint8Array(new SharedArrayBuffer(Math.max(lengthBytes, usualBlockBytes)))
}

/** Takes memory back. Called when no job uses it, and its result has been read. */
export function releaseBlockMemory(memory: Uint8Array): void {
  if (memory.length === usualBlockBytes && unused.length < maxUnused) unused.push(memory)
}
