import { BackupError, isBackupError } from '@stowage/backup-core'
import type { CreatedStore } from '@stowage/backup-core'
import { lstat, stat } from 'node:fs/promises'
import { makeRoot } from './directories.js'
import { ignoring, runMapped } from './errors.js'
import { hasMark, markName, writeMark } from './store-mark.js'
import { surveyDirectory } from './survey.js'

/** How a store is opened. */
export interface StoreRootOptions {
  /** Makes the store if there is none. */
  readonly create: boolean
  readonly fsync: boolean
}

interface OpenedRoot {
  /** Device and inode. */
  readonly identity: string
  readonly isMarked: boolean
}

/**
 * The root directory of a store. A directory is a store if it has a mark, or holds backups of Cinder or of a release of
 * Stowage without marks. The mount point of a file system that is not mounted has neither.
 */
export class StoreRoot {
  readonly #path: string
  readonly #options: StoreRootOptions
  /** The directory that was checked. If another one is at the path later, it is checked again. */
  #opened: OpenedRoot | undefined
  #opening: Promise<OpenedRoot> | undefined

  constructor(path: string, options: StoreRootOptions) {
    this.#path = path
    this.#options = options
  }

  /**
   * Returns the path of the root, after a check that it is still the same store. Every operation calls it, since it costs
   * one stat(2): if the file system is unmounted during a backup, the backup fails.
   *
   * Rejects with `STORE_MISSING`, and as {@link hasMark} does.
   */
  async open(signal?: AbortSignal): Promise<string> {
    await this.#open(signal)
    return this.#path
  }

  /** The path of the root if it has been opened; it may have been unmounted since. */
  get openedPath(): string | undefined {
    return this.#opened && this.#path
  }

  /**
   * Opens the root as {@link open} does, and checks that the mark still exists: another file system mounted at the path can
   * have the same device and inode.
   */
  async openForBackup(signal?: AbortSignal): Promise<string> {
    const { isMarked } = await this.#open(signal)
    if (isMarked && !(await hasMark(this.#path))) throw this.#missing(true)
    return this.#path
  }

  async #open(signal: AbortSignal | undefined): Promise<OpenedRoot> {
    for (;;) {
      if (this.#opened && this.#opened.identity === (await this.#identity())) return this.#opened
      this.#opening ??= this.#check(signal).finally(() => (this.#opening = undefined))
      try {
        this.#opened = await this.#opening
        return this.#opened
      } catch (error) {
        // The abort of the operation that opened the store does not fail the others: one of them opens it again.
        if (!isBackupError(error, 'ABORTED') || signal?.aborted) throw error
      }
    }
  }

  /** Makes the store if there is none, and marks one that has no mark. Rejects with `CONFLICT` for other files. */
  async create(signal?: AbortSignal): Promise<CreatedStore> {
    return runMapped({ action: `make a store at "${this.#path}"` }, async () => {
      await this.#refuseDanglingLink()
      await makeRoot(this.#path, this.#options.fsync)
      if (await hasMark(this.#path)) return { outcome: 'unchanged' }
      const contents = await surveyDirectory(this.#path, signal)
      // Another program may have made the store meanwhile, and written to it.
      if (contents === 'files' && !(await hasMark(this.#path))) throw this.#occupied()
      const isFirst = await writeMark(this.#path, this.#options.fsync, signal)
      if (!isFirst) return { outcome: 'unchanged' }
      return { outcome: contents === 'backups' ? 'marked' : 'created' }
    })
  }

  async #check(signal: AbortSignal | undefined): Promise<OpenedRoot> {
    return runMapped({ action: `open the store at "${this.#path}"` }, async () => {
      const identity = await this.#identity()
      if (identity !== undefined) {
        if (await hasMark(this.#path)) return { identity, isMarked: true }
        if ((await surveyDirectory(this.#path, signal)) === 'backups') return { identity, isMarked: false }
      }
      // A store that was opened before is not made again: its file system may have been unmounted.
      if (!this.#options.create || this.#opened !== undefined) throw this.#missing(identity !== undefined)
      await this.create(signal)
      const made = await this.#identity()
      if (made === undefined) throw this.#missing(false)
      return { identity: made, isMarked: true }
    })
  }

  /** Returns device and inode; undefined if the directory does not exist. */
  async #identity(): Promise<string | undefined> {
    return runMapped({ action: `open the store at "${this.#path}"` }, async () => {
      const found = await ignoring('ENOENT', stat(this.#path, { bigint: true }))
      if (found && !found.isDirectory()) {
        throw new BackupError(
          'NOT_A_FILE',
          `Cannot open the store at ${this.#path}: it is not a directory. Give the path of a directory.`,
        )
      }
      return found && `${found.dev}:${found.ino}`
    })
  }

  async #refuseDanglingLink(): Promise<void> {
    const link = await ignoring('ENOENT', lstat(this.#path))
    if (!link?.isSymbolicLink() || (await this.#identity()) !== undefined) return
    throw new BackupError(
      'STORE_MISSING',
      `Cannot make a store at ${this.#path}: it is a symbolic link to a directory that does not exist. If that is on a ` +
        'mount, mount it. Otherwise create the directory first.',
    )
  }

  #missing(isThere: boolean): BackupError {
    const why = isThere
      ? `${this.#path} is not a store: it has no mark ${markName} and no backups (an unmounted mount point looks so).`
      : `There is no store at ${this.#path}: the directory does not exist.`
    return new BackupError(
      'STORE_MISSING',
      `${why} If the store is on a mount, mount it. To make a new store: stowage init --store posix:${this.#path} ` +
        '(`create: true` in a program).',
    )
  }

  #occupied(): BackupError {
    return new BackupError(
      'CONFLICT',
      `Cannot make a store at ${this.#path}: the directory holds other files, and no backups. Choose an empty directory, ` +
        'or one that does not exist.',
    )
  }
}
