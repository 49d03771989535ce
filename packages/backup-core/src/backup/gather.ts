import { setImmediate as nextTurn } from 'node:timers/promises'

/** How much is copied before others get a turn: fresh memory takes about a millisecond for it. */
const STEP_BYTES = 256 * 1024

/** Copies parts into one piece of memory, for a compressor that needs its input in one. */
export async function gather(parts: readonly Uint8Array[], whole: Uint8Array): Promise<Uint8Array> {
  let endBytes = 0
  for (const part of parts) {
    for (let at = 0; at < part.length; at += STEP_BYTES) {
      const step = part.subarray(at, at + STEP_BYTES)
      whole.set(step, endBytes)
      endBytes += step.length
      await nextTurn()
    }
  }
  return whole
}
