// @ts-check
/**
 * The job that opens a block in JavaScript. Plain JavaScript itself, since it runs as it is: in a worker, from the
 * sources and from the published package alike.
 */
import { openRuns as openRunsOf } from './open-runs.mjs'

/**
 * Opens a block, whose bits begin at a bit of the memory's first byte, as far as its runs, which take its place.
 * @param {{ memory: Uint8Array, startBit: number, lengthBits: number, level: number }} job
 */
export function openRuns({ memory, startBit, lengthBits, level }) {
  return openRunsOf(memory, memory, startBit, lengthBits, level) ?? 'damaged'
}
