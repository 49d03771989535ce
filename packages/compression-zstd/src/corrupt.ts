import { BackupError } from '@stowage/backup-core'

const advice =
  'The stored object is damaged, or is not zstd: verify the backup, and restore from another one.'

const corrupt = (what: string, cause?: unknown): BackupError =>
  new BackupError('OBJECT_CORRUPT', `${what}. ${advice}`, cause === undefined ? {} : { cause })

export const notZstd = (): BackupError => corrupt('The object does not begin as a zstd frame does')

export const cutShort = (cause?: unknown): BackupError => corrupt('The zstd frame ends too early', cause)

export const damaged = (what: string, cause?: unknown): BackupError =>
  corrupt(`The zstd frame is damaged (${what})`, cause)

export const tooLong = (expectedLengthBytes: number): BackupError =>
  corrupt(`The zstd frames hold more than the ${expectedLengthBytes} bytes expected`)

export const tooShort = (actualLengthBytes: number, expectedLengthBytes: number): BackupError =>
  corrupt(
    `The zstd frames hold ${actualLengthBytes} bytes at most where ${expectedLengthBytes} were expected`,
  )

/** `isAll`: whether it is known that no more than those follow. */
export const trailing = (lengthBytes: number, isAll = true): BackupError =>
  corrupt(`${lengthBytes} bytes ${isAll ? '' : 'or more '}follow the end of the zstd frame`)

export const needsDictionary = (): BackupError =>
  corrupt('The zstd frame needs a dictionary, and Cinder uses none')

export const windowTooLarge = (windowBytes: number): BackupError =>
  corrupt(`The zstd frame asks for a window of ${windowBytes} bytes`)
