import { BackupError } from '@stowage/backup-core'
import type { ChunkedDriverOptions, DriverDefaults } from '@stowage/backup-core'
import { resolve } from 'node:path'

/** Options of the POSIX driver. Cinder's flag for each is named beside it. */
export interface PosixDriverOptions extends ChunkedDriverOptions {
  /**
   * The directory that holds the backups (`backup_posix_path`). It may be a symbolic link; nothing below it may be.
   * A relative path is taken from the working directory at construction. Made by the first backup if it is missing.
   */
  readonly path: string
  /**
   * Waits until each object, and its name, is on the disk. Without it a power cut can undo backups that were
   * reported as done; a crash of the process alone cannot. @default true
   */
  readonly fsync?: boolean
}

/** Cinder's defaults: `backup_file_size`, `backup_sha_block_size_bytes`, `backup_container`. */
export const posixDefaults: DriverDefaults = Object.freeze({
  chunkSizeBytes: 1_999_994_880,
  blockSizeBytes: 32_768,
  container: null,
  serviceName: 'cinder.backup.drivers.posix.PosixBackupDriver',
})

/** The absolute path of the root. Throws `OPTION_INVALID`. */
export function resolveRoot(path: unknown): string {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new BackupError(
      'OPTION_INVALID',
      'The option `path` must name the directory that holds the backups, such as "/backups".',
    )
  }
  return resolve(path)
}

/** Whether to fsync. Throws `OPTION_INVALID`. */
export function resolveFsync(fsync: unknown): boolean {
  if (fsync === undefined) return true
  if (typeof fsync === 'boolean') return fsync
  throw new BackupError('OPTION_INVALID', 'The option `fsync` must be true or false.')
}
