// @ts-check
/**
 * The jobs of a compressjs worker. Plain JavaScript, since it runs in a worker, from the sources as well as bundled into
 * the published package. A job's input lies in shared memory, and its result is put there.
 */
import { compressFile } from './bzip2.mjs'

export { openRuns } from '../../compression-shared/worker/open-runs.mjs'

/**
 * Compresses into one stream, or several in a row where runs of four make the piece longer than a block.
 * @param {{ memory: Uint8Array, lengthBytes: number, level: number, maxBytes: number }} job
 * @returns {number | 'too long'}
 */
export function compress({ memory, lengthBytes, level, maxBytes }) {
  // A copy: the output overwrites the input.
  const piece = Uint8Array.from(memory.subarray(0, lengthBytes))
  const output = new ByteOutput(memory, maxBytes)
  try {
    for (let start = 0; start < lengthBytes;) {
      const end = blockEnd(piece, start, level)
      compressFile(piece.subarray(start, end), output, level)
      start = end
    }
    return output.lengthBytes
  } catch (error) {
    if (error instanceof OutputFull) return 'too long'
    throw error
  }
}

/** bzip2 writes a run of 4 to 255 equal bytes as four of them and a count. */
const shortestRun = 4
const longestRun = 255

/** What a block holds at level 1, and what compressjs leaves free of it. */
const symbolsPerLevel = 100_000
const reserveBytes = 19

/**
 * Where the part of a piece ends that fits into one block. compressjs begins a new block where one is full. Where that is
 * right after the fourth byte of a run, it leaves out the count, and libbzip2 rejects the stream. So no block that it
 * writes may be full.
 * @param {Uint8Array} piece
 * @param {number} start
 * @param {number} level
 */
function blockEnd(piece, start, level) {
  const maxSymbols = level * symbolsPerLevel - reserveBytes
  let lengthBytes = 0
  let run = 0
  let last = -1
  for (let at = start; at < piece.length; at++) {
    const byte = piece[at] ?? 0
    run = byte === last && run < longestRun ? run + 1 : 1
    last = byte
    if (run > shortestRun) continue
    // The fourth byte of a run brings the count.
    lengthBytes += run === shortestRun ? 2 : 1
    if (lengthBytes > maxSymbols) return at
  }
  return piece.length
}

/** Takes the bytes that compressjs writes, as many as there is room for. */
class ByteOutput {
  /**
   * @param {Uint8Array} memory
   * @param {number} maxBytes
   */
  constructor(memory, maxBytes) {
    this.memory = memory
    this.maxBytes = maxBytes
    this.lengthBytes = 0
  }

  /** @param {number} byte */
  writeByte(byte) {
    if (this.lengthBytes === this.maxBytes) throw new OutputFull()
    this.memory[this.lengthBytes++] = byte
  }
}

/** Ends a job at the first byte too many. */
class OutputFull extends Error {}
