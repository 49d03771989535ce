// @ts-check
/**
 * The jobs of a zstd worker. Plain JavaScript, since it runs as it is: in a worker, from the sources and from the
 * published package alike. Input and output lie in shared memory.
 */
import { withLibzstd } from './libzstd.mjs'

/**
 * Puts the output into the memory given for it, else into fresh memory of just its length.
 * @param {Uint8Array | undefined} memory
 * @returns {(output: Uint8Array) => Uint8Array}
 */
const giveBack = (memory) => (output) => {
  const target = memory?.subarray(0, output.length) ?? new Uint8Array(new SharedArrayBuffer(output.length))
  target.set(output)
  return target
}

/**
 * Compresses into one frame, which says how much it holds.
 * @param {{ bytes: Uint8Array, level: number, mostBytes: number, memory: Uint8Array | undefined }} job
 */
export function compress({ bytes, level, mostBytes, memory }) {
  return withLibzstd({
    input: bytes,
    mostBytes,
    run: (lib, output, input) => lib.compress(output, mostBytes, input, bytes.length, level),
    read: giveBack(memory),
  })
}

/**
 * Opens all frames into one output.
 * @param {{ bytes: Uint8Array, mostBytes: number, memory: Uint8Array | undefined }} job
 */
export function decompress({ bytes, mostBytes, memory }) {
  return withLibzstd({
    input: bytes,
    mostBytes,
    run: (lib, output, input) => lib.decompress(output, mostBytes, input, bytes.length),
    read: giveBack(memory),
  })
}
