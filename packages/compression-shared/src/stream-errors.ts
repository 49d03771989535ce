import { BackupError } from '@stowage/backup-core'

/** The `OBJECT_CORRUPT` errors of a compressed object. */
export interface StreamErrors {
  /** Any other damage. */
  readonly damaged: (what: string, cause?: unknown) => BackupError
  readonly wrongFormat: () => BackupError
  readonly cutShort: (cause?: unknown) => BackupError
  readonly tooLong: (expectedLengthBytes: number) => BackupError
  readonly tooShort: (maxLengthBytes: number, expectedLengthBytes: number) => BackupError
  /** `more`: bytes beyond those counted may follow. */
  readonly trailing: (lengthBytes: number, more?: boolean) => BackupError
}

/** Makes the errors of a format: `zlib`, `bzip2`, `zstd`. */
export function streamErrors(format: string): StreamErrors {
  const corrupt = (what: string, cause?: unknown): BackupError =>
    new BackupError(
      'OBJECT_CORRUPT',
      `${what}. The stored object is damaged, or is not ${format}: verify the backup, and restore another one.`,
      cause === undefined ? {} : { cause },
    )
  const data = `The ${format} data`
  return {
    damaged: (what, cause) => corrupt(`${data} is damaged (${what})`, cause),
    wrongFormat: () => corrupt(`${data} has the wrong first bytes`),
    cutShort: (cause) => corrupt(`${data} ends too early`, cause),
    tooLong: (expected) => corrupt(`${data} decompresses to more than the ${expected} bytes expected`),
    tooShort: (max, expected) =>
      corrupt(`${data} decompresses to at most ${max} bytes, and ${expected} were expected`),
    trailing: (length, more = false) =>
      corrupt(`${length} bytes ${more ? 'or more ' : ''}follow the end of the ${format} data`),
  }
}
