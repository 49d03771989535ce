import { BackupError } from '@stowage/backup-core'

/** Refuses an expected length that is no length. */
export function requireExpectedLength(expectedLengthBytes: number): void {
  if (Number.isSafeInteger(expectedLengthBytes) && expectedLengthBytes >= 0) return
  throw new BackupError(
    'OPTION_INVALID',
    `The expected length must be a whole number of bytes, not ${String(expectedLengthBytes)}.`,
  )
}

/** Where to open a chunk: the memory that the caller lends, where it is long enough, else fresh memory. */
export const targetOf = (expectedLengthBytes: number, buffer: Uint8Array | undefined): Uint8Array =>
  buffer !== undefined && buffer.length >= expectedLengthBytes
    ? buffer.subarray(0, expectedLengthBytes)
    : new Uint8Array(expectedLengthBytes)
