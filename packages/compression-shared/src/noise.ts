import { EventLoopYielder } from './event-loop.js'
import { cut } from './pieces.js'

const windowCount = 4
const windowBytes = 2_048
const sampleBytes = windowCount * windowBytes

/** Uniform noise shows 7.977 bits a byte in a sample of 8192; text 4 to 5, machine code 6, a compressed file 7.95. */
const minEntropyBits = 7.92

/** Two equal runs of four bytes in 8192 of noise are seen once in 130 samples; in anything deflate can use, often. */
const maxRepeats = 1

const tableSize = 16_384

/**
 * Whether samples of `bytes` show that compressing them gains nothing: every byte value is about as frequent as any
 * other, and no run of four bytes occurs twice. A false positive costs space, never data: noise is stored as it is.
 */
export function looksLikeNoise(bytes: Uint8Array): boolean {
  if (bytes.length < sampleBytes) return false
  const counts = new Uint16Array(256)
  const table = new Int32Array(tableSize)
  const stride = Math.floor((bytes.length - windowBytes) / (windowCount - 1))
  let repeats = 0
  for (let window = 0; window < windowCount; window++) {
    const start = window * stride
    let run = 0
    for (let offset = start; offset < start + windowBytes; offset++) {
      const byte = bytes[offset] ?? 0
      counts[byte] = (counts[byte] ?? 0) + 1
      run = (run << 8) | byte
      if (offset < start + 3) continue
      const slot = Math.imul(run, 0x9e3779b1) >>> 18
      if (table[slot] === run && ++repeats > maxRepeats) return false
      table[slot] = run
    }
  }
  return entropyBits(counts) >= minEntropyBits
}

function entropyBits(counts: Uint16Array): number {
  let bits = 0
  for (const count of counts) {
    if (count > 0) bits -= (count / sampleBytes) * Math.log2(count / sampleBytes)
  }
  return bits
}

/** How much is sampled in one step on the main thread. */
const stepBytes = 1024 * 1024

/** Whether samples show every part of a chunk to be noise, so that compressing it gains nothing. */
export async function isNoise(bytes: Uint8Array): Promise<boolean> {
  const yielder = new EventLoopYielder()
  for (const step of cut(bytes, stepBytes)) {
    if (!looksLikeNoise(step)) return false
    await yielder.yieldIfDue()
  }
  return true
}
