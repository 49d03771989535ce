// @ts-check
/**
 * The jobs of a bzip2 worker. Plain JavaScript, since it runs as it is: in a worker, from the sources and from the
 * published package alike. A job's input lies in shared memory, and its result goes back there.
 */
import { outputFull, withLibbzip2 } from './libbzip2.mjs'
import { wrapBlock, wrappedBytes } from './wrap-block.mjs'

/** What it answers to data that no compressor wrote: `BZ_DATA_ERROR`, `BZ_DATA_ERROR_MAGIC`, `BZ_UNEXPECTED_EOF`. */
const damageStatuses = new Set([-4, -5, -7])

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
 * @param {number | { status: number }} result
 * @returns {number | 'damaged' | 'too long'}
 */
function answer(result) {
  if (typeof result === 'number') return result
  const { status } = result
  if (status === outputFull) return 'too long'
  if (damageStatuses.has(status)) return 'damaged'
  throw new Error(`libbzip2 ended with status ${status}, and may want more memory than there is`)
}

/**
 * Compresses into one stream.
 * @param {{ memory: Uint8Array, lengthBytes: number, level: number, mostBytes: number }} job
 */
export function compress({ memory, lengthBytes, level, mostBytes }) {
  const made = withLibbzip2({
    inputBytes: lengthBytes,
    mostBytes,
    write: (input) => input.set(memory.subarray(0, lengthBytes)),
    run: (lib, output, outputLength, input) =>
      lib.BZ2_bzBuffToBuffCompress(output, outputLength, input, lengthBytes, level, 0, workFactor),
    read: giveBack(memory),
  })
  return answer(made)
}

/**
 * Opens one block, whose bits begin at a bit of the memory's first byte.
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
  return answer(opened)
}
