import { BackupError, chunkedDriverShape, optionRules } from '@stowage/backup-core'
import type { ChunkedDriverOptions, DriverDefaults, OptionShape } from '@stowage/backup-core'
import { resolve } from 'node:path'

/** Options of the POSIX driver, with the corresponding flags of Cinder. */
export interface PosixDriverOptions extends ChunkedDriverOptions {
  /**
   * The directory that holds the backups (`backup_posix_path`). It may be a symbolic link; nothing below it may be.
   * A relative path is taken from the working directory at construction.
   *
   * The directory must be a store: it has the mark that `create` writes, or holds backups. Otherwise every operation
   * rejects with `STORE_MISSING`, so that a backup never fills the mount point of a file system that is not mounted.
   */
  readonly path: string
  /**
   * Makes the store at its first use, if there is none: the directory, with its parents, and the mark. Rejects with
   * `CONFLICT` for a directory that holds other files. Do not set it in a nightly job: if the file system is not mounted,
   * that would make a new store on the mount point. @default false
   */
  readonly create?: boolean
  /**
   * Waits until each object and its name are durable. Without it, a power failure can undo completed backups; a crash of
   * the process cannot. @default true
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
 * Cinder's defaults with smaller files. With Cinder's file size, a volume of 1 GiB is one chunk: nothing is compressed or
 * stored while it is read, and it takes more memory than the volume has bytes. Sizes from 32 to 64 MiB do not differ
 * measurably (`bench/chunk-sizes.mjs`); 50 MiB is Cinder's default for Swift.
 */
export const posixDefaults: DriverDefaults = Object.freeze({ ...cinderDefaults, chunkSizeBytes: 52_428_800 })

/** Returns the absolute path of the root. @throws `OPTION_INVALID` */
export function resolveRoot(path: string): string {
  if (path.includes('\0')) {
    throw new BackupError(
      'OPTION_INVALID',
      'The option `path` must name the directory that holds the backups, such as "/backups", and has a NUL in it.',
    )
  }
  return resolve(path)
}
