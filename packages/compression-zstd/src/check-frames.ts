import { damaged, tooLong, tooShort, windowTooLarge } from './corrupt.js'
import type { Frame } from './walk-frames.js'

/** What the program `zstd` grants a frame, unless told otherwise. */
export const usualWindowBytes = 128 * 1024 * 1024

/**
 * Holds frames to the expected length before any memory is taken.
 *
 * @throws BackupError `OBJECT_CORRUPT` where they say, or their blocks show, that they cannot open to just that, and
 * where one asks for a window beyond reason.
 */
export function checkFrames(frames: readonly Frame[], expectedLengthBytes: number): void {
  let declaredBytes = 0
  let mostBytes = 0
  for (const frame of frames) {
    const { contentBytes } = frame
    if (contentBytes !== undefined && contentBytes > frame.mostBytes) {
      throw damaged(`it says that it holds ${contentBytes} bytes, and its blocks cannot`)
    }
    declaredBytes += contentBytes ?? 0
    mostBytes += contentBytes ?? frame.mostBytes
  }
  if (declaredBytes > expectedLengthBytes) throw tooLong(expectedLengthBytes)
  if (mostBytes < expectedLengthBytes) throw tooShort(mostBytes, expectedLengthBytes)
  for (const { contentBytes, windowBytes } of frames) {
    // A decoder needs no more than the content.
    const neededBytes = Math.min(windowBytes, contentBytes ?? Infinity)
    if (neededBytes > Math.max(usualWindowBytes, expectedLengthBytes)) throw windowTooLarge(windowBytes)
  }
}
