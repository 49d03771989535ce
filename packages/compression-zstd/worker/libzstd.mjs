// @ts-check
/* global WebAssembly */
/**
 * libzstd as WebAssembly, from the package @foxglove/wasm-zstd. That package's own JavaScript compiles on the main
 * thread, reads stale memory after a growth and never gives memory back, so the module is bound here instead. Its
 * exports have lost their names: the package's version is pinned.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const wasmFile = createRequire(import.meta.url).resolve('@foxglove/wasm-zstd/dist/wasm-zstd.wasm')

const pageBytes = 65_536

/**
 * WebAssembly's memory never shrinks. What a chunk of 50 MiB needs is kept for the next (a fresh instance for each chunk
 * took 12 % more CPU time for a backup and 27 % more for a restore, on warm memory); after a longer chunk, a fresh
 * instance replaces the grown one.
 */
const maxKeptBytes = 128 * 1024 * 1024

/** What a decoder takes beside its input and output. */
const decoderBytes = 512 * 1024

/**
 * @typedef {object} Libzstd
 * @property {WebAssembly.Memory} memory
 * @property {(lengthBytes: number) => number} malloc
 * @property {(address: number) => void} free
 * @property {(to: number, toBytes: number, from: number, fromBytes: number, level: number) => number} compress
 * @property {(to: number, toBytes: number, from: number, fromBytes: number) => number} decompress
 */

/** @type {WebAssembly.Module | undefined} */
let module

/** @type {Libzstd | undefined} */
let instance

/** @returns {Libzstd} */
function libzstd() {
  if (instance !== undefined) return instance
  module ??= new WebAssembly.Module(readFileSync(wasmFile))
  /** @type {WebAssembly.Memory | undefined} */
  let memory
  /** @type {(lengthBytes: number) => number} */
  const resizeHeap = (lengthBytes) => {
    if (memory === undefined) return 0
    try {
      memory.grow(Math.ceil(Math.max(0, (lengthBytes >>> 0) - memory.buffer.byteLength) / pageBytes))
      return 1
    } catch {
      return 0
    }
  }
  /** @type {(to: number, from: number, lengthBytes: number) => number} */
  const copyLarge = (to, from, lengthBytes) => {
    if (memory !== undefined) new Uint8Array(memory.buffer).copyWithin(to, from, from + lengthBytes)
    return to
  }
  const { exports } = new WebAssembly.Instance(module, { a: { a: resizeHeap, b: copyLarge } })
  const named = /** @type {Record<string, never>} */ (exports)
  const { c, d: construct, f: malloc, g: free, i: compress, j: decompress } = named
  const loaded = /** @type {Libzstd} */ (
    /** @type {unknown} */ ({ memory: c, malloc, free, compress, decompress })
  )
  memory = loaded.memory
  ;/** @type {() => void} */ (construct)()
  instance = loaded
  return loaded
}

/**
 * A call of libzstd: what it reads, how much it may write, and where its output goes.
 * @template T
 * @typedef {object} Call
 * @property {Uint8Array} input
 * @property {number} maxBytes
 * @property {(lib: Libzstd, output: number, input: number) => number} run Gives the output's length, or -1.
 * @property {(output: Uint8Array) => T} read Takes the output, which is gone after it.
 */

/**
 * Runs a call with memory of the module. libzstd does not report why it failed, so the memory is allocated
 * before.
 * @template T
 * @param {Call<T>} call
 * @returns {T | 'failed' | 'no memory'}
 */
export function withLibzstd({ input, maxBytes, run, read }) {
  const lib = libzstd()
  const spare = lib.malloc(decoderBytes)
  const from = lib.malloc(input.length + 1)
  const to = lib.malloc(maxBytes + 1)
  try {
    if (spare === 0 || from === 0 || to === 0) return 'no memory'
    lib.free(spare)
    // Views are made anew after each allocation: memory that grew has another buffer.
    new Uint8Array(lib.memory.buffer).set(input, from >>> 0)
    const lengthBytes = run(lib, to, from)
    return lengthBytes < 0 ? 'failed' : read(new Uint8Array(lib.memory.buffer, to >>> 0, lengthBytes))
  } catch (error) {
    // A module that trapped must not run the next job.
    instance = undefined
    throw error
  } finally {
    if (lib.memory.buffer.byteLength > maxKeptBytes) instance = undefined
    if (instance === lib) for (const address of [from, to]) lib.free(address)
  }
}
