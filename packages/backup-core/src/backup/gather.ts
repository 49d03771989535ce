import { setImmediate as nextTurn } from 'node:timers/promises'

/** How much is copied before others get a turn: fresh memory takes about a millisecond for it. */
const STEP_BYTES = 256 * 1024

/** Memory that workers can read and fill where it is. */
export function sharedMemory(lengthBytes: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(lengthBytes))
}

/** Copies parts into one piece of memory, for a compressor that needs its input in one. */
export async function gather(parts: readonly Uint8Array[], lengthBytes: number): Promise<Uint8Array> {
  const whole = sharedMemory(lengthBytes)
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
