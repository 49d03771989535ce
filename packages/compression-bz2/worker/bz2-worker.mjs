// @ts-check
/**
 * The jobs of a bzip2 worker. Plain JavaScript, since it runs in a worker, from the sources as well as bundled into the
 * published package. A job's input lies in shared memory, and its result is put there.
 */
export { openRuns } from '../../compression-shared/worker/open-runs.mjs'
import { outputFull, withLibbzip2 } from './libbzip2.mjs'
import { wrapBlock, wrappedBytes } from './wrap-block.mjs'

/** What libbzip2 returns for damaged data: `BZ_DATA_ERROR`, `BZ_DATA_ERROR_MAGIC`, `BZ_UNEXPECTED_EOF`. */
const damageStatuses = new Set([-4, -5, -7])

/** When libbzip2 falls back to a slower sort, which has no worst case; 30 is its default. */
const workFactor = 30

/**
 * Puts the output into the shared memory, which has room for it.
 * @param {Uint8Array} memory
 * @returns {(output: Uint8Array) => number}
 */
const putInto = (memory) => (output) => {
  memory.set(output)
  return output.length
}

/**
 * @param {number | { status: number }} result
 * @returns {number | 'damaged' | 'too long'}
 */
function resultOf(result) {
  if (typeof result === 'number') return result
  const { status } = result
  if (status === outputFull) return 'too long'
  if (damageStatuses.has(status)) return 'damaged'
  throw new Error(`libbzip2 failed with status ${status}; it may need more memory`)
}

/**
 * Compresses into one stream.
 * @param {{ memory: Uint8Array, lengthBytes: number, level: number, maxBytes: number }} job
 */
export function compress({ memory, lengthBytes, level, maxBytes }) {
  const made = withLibbzip2({
    inputBytes: lengthBytes,
    maxBytes,
    write: (input) => input.set(memory.subarray(0, lengthBytes)),
    run: (lib, output, outputLength, input) =>
      lib.BZ2_bzBuffToBuffCompress(output, outputLength, input, lengthBytes, level, 0, workFactor),
    read: putInto(memory),
  })
  return resultOf(made)
}

/**
 * Decompresses one block, whose bits begin at a bit of the memory's first byte.
 * @param {{ memory: Uint8Array, startBit: number, lengthBits: number, level: number, maxBytes: number }} job
 */
export function openBlock({ memory, startBit, lengthBits, level, maxBytes }) {
  const inputBytes = wrappedBytes(lengthBits)
  const opened = withLibbzip2({
    inputBytes,
    maxBytes,
    write: (input) => wrapBlock(input, memory, startBit, lengthBits, level),
    run: (lib, output, outputLength, input) =>
      lib.BZ2_bzBuffToBuffDecompress(output, outputLength, input, inputBytes, 0, 0),
    read: putInto(memory),
  })
  return resultOf(opened)
}
