import { BackupError } from '@stowage/backup-core'
import type { BackendPackage } from '@stowage/backup-core'
import { fileURLToPath } from 'node:url'
import { getBackupDriver } from './driver.js'

/** What the `stowage` command loads for `--store posix:…` and `file:…`. */
export const stowageBackend: BackendPackage = {
  schemes: ['posix', 'file'],
  urlSyntax: ['posix:/backups', 'file:///backups'],
  checkUrl: (url) => {
    pathOf(url)
  },
  // A driver without `create` rejects a missing directory.
  open: (url, { driverOptions, create }) => getBackupDriver({ ...driverOptions, path: pathOf(url), create }),
}

/** Returns the directory of a URL. */
function pathOf(url: string): string {
  return /^file:/i.test(url) ? pathOfFileUrl(url) : pathOfPosixUrl(url)
}

/** `posix:` takes the path unescaped: a `%` is a `%`. */
function pathOfPosixUrl(url: string): string {
  const rest = url.slice(url.indexOf(':') + 1)
  const path = rest.startsWith('//') ? rest.slice(2) : rest
  if (path === '') throw malformed(url, 'it names no directory')
  if (rest.startsWith('//') && !path.startsWith('/')) throw malformed(url, 'posix: has no host')
  return path
}

function pathOfFileUrl(url: string): string {
  try {
    return fileURLToPath(url)
  } catch (cause) {
    throw malformed(url, cause instanceof Error ? cause.message : 'not a file URL', cause)
  }
}

function malformed(url: string, why: string, cause?: unknown): BackupError {
  const message = `${JSON.stringify(url)} is not a store URL: ${why}. For a directory, use posix:/backups or posix:relative/path.`
  return new BackupError('OPTION_INVALID', message, { cause })
}
