// @ts-check
/**
 * The job of a compressjs worker. Plain JavaScript, since it runs as it is: in a worker, from the sources and from the
 * published package alike. Its input lies in shared memory, and its result goes back there.
 */
import { ByteOutput, OutputFull } from './byte-output.mjs'
import { compressFile } from './bzip2.mjs'
import { blockEnd } from './block-end.mjs'

/**
 * Compresses into one stream, or several in a row where runs of four make the piece longer than a block.
 * @param {{ memory: Uint8Array, lengthBytes: number, level: number, mostBytes: number }} job
 * @returns {number | 'too long'}
 */
export function compress({ memory, lengthBytes, level, mostBytes }) {
  // A copy, whose place the output may take.
  const piece = Uint8Array.from(memory.subarray(0, lengthBytes))
  const output = new ByteOutput(memory, mostBytes)
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
