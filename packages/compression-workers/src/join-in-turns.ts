import { Turns } from './turns.js'

/** How much is copied between two looks at the clock: fresh memory takes about half a millisecond for this. */
const stepBytes = 128 * 1024

/** Joins `parts` in `output`, or in fresh memory of just their length, without holding the main thread. */
export async function joinInTurns(
  parts: readonly Uint8Array[],
  output: Uint8Array = Buffer.allocUnsafeSlow(parts.reduce((sum, part) => sum + part.length, 0)),
): Promise<Uint8Array> {
  const turns = new Turns()
  let end = 0
  for (const part of parts) {
    for (let offset = 0; offset < part.length; offset += stepBytes) {
      const step = part.subarray(offset, offset + stepBytes)
      output.set(step, end)
      end += step.length
      await turns.give()
    }
  }
  return output
}
