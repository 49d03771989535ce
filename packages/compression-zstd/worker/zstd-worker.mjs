// @ts-check
/**
 * The jobs of a zstd worker. Plain JavaScript, since it runs in a worker, from the sources as well as bundled into the
 * published package. Input and output lie in shared memory.
 */
import { withLibzstd } from './libzstd.mjs'

/**
 * Puts the output into the memory passed for it, else into fresh memory of its length.
 * @param {Uint8Array | undefined} memory
 * @returns {(output: Uint8Array) => Uint8Array}
 */
const putInto = (memory) => (output) => {
  const target = memory?.subarray(0, output.length) ?? new Uint8Array(new SharedArrayBuffer(output.length))
  target.set(output)
  return target
}

/**
 * Compresses into one frame, which declares its content size.
 * @param {{ bytes: Uint8Array, level: number, maxBytes: number, memory: Uint8Array | undefined }} job
 */
export function compress({ bytes, level, maxBytes, memory }) {
  return withLibzstd({
    input: bytes,
    maxBytes,
    run: (lib, output, input) => lib.compress(output, maxBytes, input, bytes.length, level),
    read: putInto(memory),
  })
}

/**
 * Decompresses all frames into one output.
 * @param {{ bytes: Uint8Array, maxBytes: number, memory: Uint8Array | undefined }} job
 */
export function decompress({ bytes, maxBytes, memory }) {
  return withLibzstd({
    input: bytes,
    maxBytes,
    run: (lib, output, input) => lib.decompress(output, maxBytes, input, bytes.length),
    read: putInto(memory),
  })
}
