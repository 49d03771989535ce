import { BackupError } from '@stowage/backup-core'

const advice =
  'The stored object is damaged, or is not bzip2: verify the backup, and restore from another one.'

const corrupt = (what: string): BackupError => new BackupError('OBJECT_CORRUPT', `${what}. ${advice}`)

export const notBzip2 = (): BackupError => corrupt('The object does not begin as a bzip2 stream does')

export const cutShort = (): BackupError => corrupt('The bzip2 stream ends too early')

export const damaged = (what: string): BackupError => corrupt(`The bzip2 stream is damaged (${what})`)

export const tooLong = (expectedLengthBytes: number): BackupError =>
  corrupt(`The bzip2 stream holds more than the ${expectedLengthBytes} bytes expected`)

export const tooShort = (actualLengthBytes: number, expectedLengthBytes: number): BackupError =>
  corrupt(`The bzip2 stream holds ${actualLengthBytes} bytes where ${expectedLengthBytes} were expected`)

/** `isAll`: whether it is known that no more than those follow. */
export const trailing = (lengthBytes: number, isAll: boolean): BackupError =>
  corrupt(`${lengthBytes} bytes ${isAll ? '' : 'or more '}follow the end of the bzip2 stream`)
