import { BackupError, isBackupError } from '@stowage/backup-core'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { Stats } from 'node:fs'

/** Larger than any configuration file, or any bundle of CA certificates. */
const maxBytes = 1024 * 1024

/** With O_NONBLOCK a FIFO opens immediately instead of waiting for a writer. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK

/**
 * Reads a small regular file of UTF-8 text, following symbolic links. Refuses pipes and devices, so never waits for a writer.
 *
 * @param what - names the file in an error: `the cinder.conf /etc/cinder/cinder.conf`
 * @throws BackupError with `code`
 */
export function readTextFile(path: string, what: string, code: 'CONFIG_INVALID' | 'OPTION_INVALID'): string {
  try {
    // A byte order mark is kept: oslo.config refuses one.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readBytes(path))
  } catch (cause) {
    throw new BackupError(code, `Cannot read ${what}: ${reasonOf(cause)}.`, { cause })
  }
}

/** Whether {@link readTextFile} failed because the file does not exist. */
export function isMissingFile(error: unknown): boolean {
  return isBackupError(error) && ['ENOENT', 'ENOTDIR'].includes(codeOf(error.cause))
}

/** The message is the reason. */
class UnsuitableFileError extends Error {}

function readBytes(path: string): Buffer {
  const file = openSync(path, flags)
  try {
    const stats = fstatSync(file)
    if (!stats.isFile()) {
      throw new UnsuitableFileError(
        `it is ${kindOf(stats)}, not a regular file. Store the text in a file and pass its path`,
      )
    }
    if (stats.size > maxBytes) {
      throw new UnsuitableFileError(
        `it has ${stats.size} bytes, and the limit is ${maxBytes}. Check the path`,
      )
    }
    const buffer = Buffer.alloc(stats.size)
    return buffer.subarray(0, readSync(file, buffer, 0, stats.size, 0))
  } finally {
    closeSync(file)
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a pipe'
  return stats.isSocket() ? 'a socket' : 'a device'
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'an unknown error'
}

function reasonOf(error: unknown): string {
  if (error instanceof UnsuitableFileError) return error.message
  const code = codeOf(error)
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not valid UTF-8. Check the path'
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'the file does not exist. Check the path'
  if (code === 'EACCES') return 'permission denied. Check the permissions of the file and its directories'
  return `opening it failed with ${code}. Check the path and the permissions`
}
