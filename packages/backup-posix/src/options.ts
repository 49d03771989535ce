import { BackupError, chunkedDriverShape, optionRules } from '@stowage/backup-core'
import type { ChunkedDriverOptions, DriverDefaults, OptionShape } from '@stowage/backup-core'
import { resolve } from 'node:path'

/** Options of the POSIX driver. Cinder's flag for each is named beside it. */
export interface PosixDriverOptions extends ChunkedDriverOptions {
  /**
   * The directory that holds the backups (`backup_posix_path`). It may be a symbolic link; nothing below it may be.
   * A relative path is taken from the working directory at construction.
   *
   * The directory must be a store: have the mark that `create` writes, or hold backups of Cinder. Every operation
   * rejects with `STORE_MISSING` otherwise, so that a backup never fills the mount point of a file system that is not
   * mounted.
   */
  readonly path: string
  /**
   * Makes the store at its first use, if there is none: the directory, with its parents, and the mark. Refused with
   * `CONFLICT` for a directory that holds other files. Set it where a store is made once, not in a nightly job: a
   * program that always sets it makes a new store on the mount point of a file system that is not mounted.
   * @default false
   */
  readonly create?: boolean
  /**
   * Waits until each object, and its name, is on the disk. Without it a power cut can undo backups that were
   * reported as done; a crash of the process alone cannot. @default true
   */
  readonly fsync?: boolean
}

/** The rules of these options. */
export const posixDriverShape: OptionShape<PosixDriverOptions> = {
  ...chunkedDriverShape,
  path: {
    ...optionRules.nonEmptyText,
    expected: 'the path of the directory that holds the backups',
    required: true,
  },
  create: optionRules.flag,
  fsync: optionRules.flag,
}

/** Cinder's defaults: `backup_file_size`, `backup_sha_block_size_bytes`, `backup_container`. */
export const cinderDefaults: DriverDefaults = Object.freeze({
  chunkSizeBytes: 1_999_994_880,
  blockSizeBytes: 32_768,
  container: null,
  serviceName: 'cinder.backup.drivers.posix.PosixBackupDriver',
})

/**
 * The same, with smaller files: with Cinder's, a volume of a GiB is one chunk, of which nothing is compressed or stored while
 * it is read, and which takes more memory than the volume has bytes. From 32 to 64 MiB the differences are within the noise
 * of `bench/chunk-sizes.mjs`; 50 MiB is Cinder's default for Swift.
 */
export const posixDefaults: DriverDefaults = Object.freeze({ ...cinderDefaults, chunkSizeBytes: 52_428_800 })

/** The absolute path of the root. Throws `OPTION_INVALID`. */
export function resolveRoot(path: string): string {
  if (path.includes('\0')) {
    throw new BackupError(
      'OPTION_INVALID',
      'The option `path` must name the directory that holds the backups, such as "/backups", and has a NUL in it.',
    )
  }
  return resolve(path)
}
