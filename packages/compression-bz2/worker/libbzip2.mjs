// @ts-check
/* global WebAssembly */
/**
 * libbzip2 as WebAssembly, from the package bzip2-wasm. That package's own JavaScript writes to `globalThis` and reads
 * stale memory after a growth, so the module is bound here instead.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const wasmFile = createRequire(import.meta.url).resolve('bzip2-wasm/bzip2-1.0.8/bzip2.wasm')

const pageBytes = 65_536

/**
 * WebAssembly's memory never shrinks: after an output longer than this, a fresh instance replaces the grown one. Memory
 * that was allocated and never written to costs nothing.
 */
const maxKeptBytes = 8 * 1024 * 1024

/** What libbzip2 returns when the output does not fit (`BZ_OUTBUFF_FULL`). */
export const outputFull = -8

/** What libbzip2 returns when its memory does not suffice (`BZ_MEM_ERROR`). */
const outOfMemory = -3

/**
 * @typedef {object} Libbzip2
 * @property {WebAssembly.Memory} memory
 * @property {(lengthBytes: number) => number} malloc
 * @property {(address: number) => void} free
 * @property {(...numbers: number[]) => number} BZ2_bzBuffToBuffCompress
 * @property {(...numbers: number[]) => number} BZ2_bzBuffToBuffDecompress
 */

/** @type {WebAssembly.Module | undefined} */
let module

/** @type {Libbzip2 | undefined} */
let instance

/** @returns {Libbzip2} */
function libbzip2() {
  if (instance !== undefined) return instance
  module ??= new WebAssembly.Module(readFileSync(wasmFile))
  /** @type {WebAssembly.Memory | undefined} */
  let memory
  /** @type {(lengthBytes: number) => number} */
  const grow = (lengthBytes) => {
    if (memory === undefined) return 0
    try {
      memory.grow(Math.ceil(Math.max(0, lengthBytes - memory.buffer.byteLength) / pageBytes))
      return 1
    } catch {
      return 0
    }
  }
  const unused = () => 0
  const { exports } = new WebAssembly.Instance(module, {
    env: {
      exit: () => {
        throw new Error('libbzip2 gave up')
      },
      emscripten_memcpy_big: (/** @type {number[]} */ ...[to = 0, from = 0, lengthBytes = 0]) => {
        if (memory !== undefined) new Uint8Array(memory.buffer).copyWithin(to, from, from + lengthBytes)
        return to
      },
      emscripten_resize_heap: grow,
    },
    // What libbzip2 would print with; it prints nothing but its own bugs.
    wasi_snapshot_preview1: { fd_close: unused, fd_write: unused, fd_seek: unused },
  })
  const loaded = /** @type {Libbzip2 & { __wasm_call_ctors: () => void }} */ (
    /** @type {unknown} */ (exports)
  )
  memory = loaded.memory
  loaded.__wasm_call_ctors()
  instance = loaded
  return loaded
}

/**
 * A call of libbzip2: what it reads, how much it may write, and where its output goes.
 * @template T
 * @typedef {object} Call
 * @property {number} inputBytes
 * @property {number} maxBytes
 * @property {(input: Uint8Array) => void} write Fills the input.
 * @property {(lib: Libbzip2, output: number, outputLength: number, input: number) => number} run Gives the status.
 * @property {(output: Uint8Array) => T} read Takes the output, which is gone after it.
 */

/**
 * Runs a call with memory of the module.
 * @template T
 * @param {Call<T>} call
 * @returns {T | { status: number }}
 */
export function withLibbzip2({ inputBytes, maxBytes, write, run, read }) {
  const lib = libbzip2()
  // malloc(0) may give nothing; the length of the output is a 32-bit number of its own.
  const input = lib.malloc(inputBytes + 1)
  const output = lib.malloc(maxBytes + 1)
  const outputLength = lib.malloc(4)
  let writtenBytes = 0
  try {
    if (input === 0 || output === 0 || outputLength === 0) return { status: outOfMemory }
    // Views are made anew after each allocation: memory that grew has another buffer.
    write(new Uint8Array(lib.memory.buffer, input, inputBytes))
    new DataView(lib.memory.buffer).setUint32(outputLength, maxBytes, true)
    const status = run(lib, output, outputLength, input)
    if (status === outputFull) writtenBytes = maxBytes
    if (status !== 0) return { status }
    writtenBytes = new DataView(lib.memory.buffer).getUint32(outputLength, true)
    return read(new Uint8Array(lib.memory.buffer, output, writtenBytes))
  } catch (error) {
    // A module that trapped must not run the next job.
    instance = undefined
    throw error
  } finally {
    if (instance === lib) {
      for (const address of [input, output, outputLength]) lib.free(address)
      if (writtenBytes > maxKeptBytes) instance = undefined
    }
  }
}
