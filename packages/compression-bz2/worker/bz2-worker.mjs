// @ts-check
/**
 * The jobs of a bzip2 worker. Plain JavaScript, since it runs as it is: in a worker, from the sources and from the
 * published package alike. A job's input lies in shared memory, and its result goes back there.
 */
import { dataError, outputFull, withLibbzip2 } from './libbzip2.mjs'
import { openRuns } from './open-runs.mjs'
import { wrapBlock, wrappedBytes } from './wrap-block.mjs'

/** libbzip2's way out of data that makes its sorting slow; 30 is its default. */
const workFactor = 30

/**
 * Puts the output into the shared memory, which has room for all that was allowed.
 * @param {Uint8Array} memory
 * @returns {(output: Uint8Array) => number}
 */
const giveBack = (memory) => (output) => {
  memory.set(output)
  return output.length
}

/**
 * Compresses into one stream.
 * @param {{ memory: Uint8Array, lengthBytes: number, level: number, mostBytes: number }} job
 */
export function compress({ memory, lengthBytes, level, mostBytes }) {
  return withLibbzip2({
    inputBytes: lengthBytes,
    mostBytes,
    write: (input) => input.set(memory.subarray(0, lengthBytes)),
    run: (lib, output, outputLength, input) =>
      lib.BZ2_bzBuffToBuffCompress(output, outputLength, input, lengthBytes, level, 0, workFactor),
    read: giveBack(memory),
  })
}

/**
 * Opens one block, whose bits begin at a bit of the memory's first byte. Where it opens to more than is allowed, its
 * runs are left as they are.
 * @param {{ memory: Uint8Array, startBit: number, lengthBits: number, level: number, mostBytes: number }} job
 */
export function openBlock({ memory, startBit, lengthBits, level, mostBytes }) {
  const inputBytes = wrappedBytes(lengthBits)
  const opened = withLibbzip2({
    inputBytes,
    mostBytes,
    write: (input) => wrapBlock(input, memory, startBit, lengthBits, level),
    run: (lib, output, outputLength, input) =>
      lib.BZ2_bzBuffToBuffDecompress(output, outputLength, input, inputBytes, 0, 0),
    read: giveBack(memory),
  })
  if (typeof opened === 'number' || opened.status !== outputFull) return opened
  const runs = openRuns(memory, memory, startBit, lengthBits, level)
  return runs === 'randomised' ? opened : (runs ?? { status: dataError })
}
