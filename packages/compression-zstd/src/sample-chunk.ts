import { isZeros, looksLikeNoise, Turns } from '@stowage/compression-workers'

/** How much is looked at in one step on the main thread: a tenth of a millisecond. */
const stepBytes = 1024 * 1024

/** Whether `test` holds for each step of `bytes`; ends at the first for which it does not. */
async function everyStep(bytes: Uint8Array, test: (step: Uint8Array) => boolean): Promise<boolean> {
  const turns = new Turns()
  for (let offset = 0; offset < bytes.length; offset += stepBytes) {
    if (!test(bytes.subarray(offset, offset + stepBytes))) return false
    await turns.give()
  }
  return true
}

/** Whether a chunk is nothing but zeros. */
export const isAllZeros = (bytes: Uint8Array): Promise<boolean> => everyStep(bytes, isZeros)

/** Whether samples show each part of a chunk to be noise, which zstd stores at the cost of looking at all of it. */
export const isAllNoise = (bytes: Uint8Array): Promise<boolean> => everyStep(bytes, looksLikeNoise)

const mostRemembered = 16

/** The frames of zeros, by how many they are: 1.6 KB for a chunk of 50 MiB. */
export class RememberedZeros {
  readonly #frames = new Map<number, Uint8Array>()

  /** A copy of its own, or undefined where that length was not met. */
  frame(lengthBytes: number): Uint8Array | undefined {
    return this.#frames.get(lengthBytes)?.slice()
  }

  remember(lengthBytes: number, frame: Uint8Array): void {
    if (this.#frames.size >= mostRemembered) this.#frames.clear()
    this.#frames.set(lengthBytes, frame.slice())
  }
}
