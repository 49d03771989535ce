import { BackupError } from '@stowage/backup-core'

/** Refuses an expected length that is no length. */
export function requireExpectedLength(expectedLengthBytes: number): void {
  if (Number.isSafeInteger(expectedLengthBytes) && expectedLengthBytes >= 0) return
  throw new BackupError(
    'OPTION_INVALID',
    `The expected length must be a whole number of bytes, not ${String(expectedLengthBytes)}.`,
  )
}

/**
 * Where to open a chunk: the memory that the caller lends, where it is long enough, else fresh memory.
 *
 * @throws BackupError `COMPRESSION_FAILED` when there is no memory of that length.
 */
export function targetOf(expectedLengthBytes: number, buffer: Uint8Array | undefined): Uint8Array {
  if (buffer !== undefined && buffer.length >= expectedLengthBytes)
    return buffer.subarray(0, expectedLengthBytes)
  try {
    return new Uint8Array(expectedLengthBytes)
  } catch (cause) {
    const message = `There is no memory for a chunk of ${expectedLengthBytes} bytes: give the program more, or check the backup's metadata.`
    throw new BackupError('COMPRESSION_FAILED', message, { cause })
  }
}
