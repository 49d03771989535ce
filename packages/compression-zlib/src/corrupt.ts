import { BackupError } from '@stowage/backup-core'

const advice =
  'The stored object is damaged, or is not zlib: verify the backup, and restore from another one.'

export const corrupt = (what: string, cause?: unknown): BackupError =>
  new BackupError('OBJECT_CORRUPT', `${what}. ${advice}`, cause === undefined ? {} : { cause })

export const cutShort = (cause?: unknown): BackupError => corrupt('The zlib stream ends too early', cause)

export const damaged = (cause: Error): BackupError =>
  corrupt(`The zlib stream is damaged (${cause.message})`, cause)

export const tooLong = (expectedLengthBytes: number): BackupError =>
  corrupt(`The zlib stream holds more than the ${expectedLengthBytes} bytes expected`)

export const tooShort = (actualLengthBytes: number, expectedLengthBytes: number): BackupError =>
  corrupt(`The zlib stream holds ${actualLengthBytes} bytes where ${expectedLengthBytes} were expected`)

export const trailing = (lengthBytes: number): BackupError =>
  corrupt(`${lengthBytes} bytes follow the end of the zlib stream`)
