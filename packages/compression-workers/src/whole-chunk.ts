import { isZeros, looksLikeNoise } from './samples.js'
import { Turns } from './turns.js'

/** How much is looked at in one step on the main thread: a tenth of a millisecond. */
const stepBytes = 1024 * 1024

/** Whether a chunk is nothing but zeros. */
export const isAllZeros = (bytes: Uint8Array): Promise<boolean> => everyStep(bytes, isZeros)

/** Whether samples show each part of a chunk to be noise: nothing is gained by compressing any of it. */
export const isAllNoise = (bytes: Uint8Array): Promise<boolean> => everyStep(bytes, looksLikeNoise)

/** Ends at the first step for which the test does not hold. */
async function everyStep(bytes: Uint8Array, test: (step: Uint8Array) => boolean): Promise<boolean> {
  const turns = new Turns()
  for (let offset = 0; offset < bytes.length; offset += stepBytes) {
    if (!test(bytes.subarray(offset, offset + stepBytes))) return false
    await turns.give()
  }
  return true
}
