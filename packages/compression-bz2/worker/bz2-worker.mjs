// @ts-check
/**
 * The jobs of a bzip2 worker. Plain JavaScript, since it runs as it is: in a worker, from the sources and from the
 * published package alike. A job's input lies in shared memory, and its result goes back there.
 */
import { withLibbzip2 } from './libbzip2.mjs'
import { wrapBlock, wrappedBytes } from './wrap-block.mjs'

/** libbzip2's way out of data that makes its sorting slow; 30 is its default. */
const workFactor = 30

/**
 * Gives back a length where the output fits into the shared memory, else the output itself.
 * @param {Uint8Array} memory
 * @returns {(output: Uint8Array) => number | Uint8Array}
 */
const giveBack = (memory) => (output) => {
  if (output.length > memory.length) return output.slice()
  memory.set(output)
  return output.length
}

/**
 * Compresses into one stream.
 * @param {{ memory: Uint8Array, lengthBytes: number, level: number }} job
 */
export function compress({ memory, lengthBytes, level }) {
  return withLibbzip2({
    inputBytes: lengthBytes,
    // bzip2's own bound (manual, 3.5.1): a hundredth more and 600 bytes.
    mostBytes: lengthBytes + Math.ceil(lengthBytes / 100) + 600,
    write: (input) => input.set(memory.subarray(0, lengthBytes)),
    run: (lib, output, outputLength, input) =>
      lib.BZ2_bzBuffToBuffCompress(output, outputLength, input, lengthBytes, level, 0, workFactor),
    read: giveBack(memory),
  })
}

/**
 * Opens one block, whose bits begin at a bit of the memory's first byte.
 * @param {{ memory: Uint8Array, startBit: number, lengthBits: number, level: number, mostBytes: number }} job
 */
export function openBlock({ memory, startBit, lengthBits, level, mostBytes }) {
  const inputBytes = wrappedBytes(lengthBits)
  return withLibbzip2({
    inputBytes,
    mostBytes,
    write: (input) => wrapBlock(input, memory, startBit, lengthBits, level),
    run: (lib, output, outputLength, input) =>
      lib.BZ2_bzBuffToBuffDecompress(output, outputLength, input, inputBytes, 0, 0),
    read: giveBack(memory),
  })
}
