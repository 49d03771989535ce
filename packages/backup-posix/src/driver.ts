import {
  BackupError,
  checkOptions,
  ChunkedBackupDriver,
  storeShape,
  throwIfAborted,
} from '@stowage/backup-core'
import type {
  ContainerOptions,
  CreatedStore,
  DriverCapabilities,
  ExtraMetadata,
  NewBackup,
  ObjectInfo,
  ObjectOptions,
  RemoveTemporariesOptions,
  StoreOptions,
  TemporaryObject,
  WriterOptions,
} from '@stowage/backup-core'
import type { Stats } from 'node:fs'
import { lstat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import * as directories from './directories.js'
import { errnoOf, ignoring, storeError, runMapped } from './errors.js'
import type { FailedCall } from './errors.js'
import { isHardLinkInto } from './hard-links.js'
import { PosixObjectReader } from './object-reader.js'
import { PosixObjectWriter } from './object-writer.js'
import { cinderDefaults, posixDefaults, posixDriverShape, resolveRoot } from './options.js'
import type { PosixDriverOptions } from './options.js'
import * as paths from './paths.js'
import { probe } from './probe.js'
import { StoreRoot } from './store-root.js'
import { removeTemporaryFiles } from './temporary-files.js'

const capabilities: DriverCapabilities = {
  streamingReads: true,
  rangedReads: true,
  streamingWrites: true,
  exclusiveCreate: true,
  containerListing: true,
  modificationTimes: true,
  objectInfo: true,
  temporaryObjects: true,
  localFiles: true,
  maxObjectNameBytes: paths.maxNameBytes,
}

/** Stores backups in a directory, as Cinder's POSIX driver does: one directory per container, one file per object. */
export class PosixBackupDriver extends ChunkedBackupDriver {
  readonly #root: StoreRoot
  readonly #fsync: boolean
  readonly #container: string | undefined
  readonly #linksWarnedOf = new Set<string>()
  /** Containers that this driver made, and in which no object was begun: empty ones are removed when the driver is closed. */
  readonly #unused = new Set<string>()

  /** @throws `OPTION_INVALID`. Does not access the disk. */
  constructor(given: PosixDriverOptions) {
    checkOptions('the options of the POSIX driver', given, posixDriverShape)
    const { path, create = false, fsync = true, ...options } = given
    const root = resolveRoot(path)
    const flags = { create, fsync }
    if (options.container !== undefined) paths.containerSegments(options.container)
    super(options, { ...(options.strict === undefined ? posixDefaults : cinderDefaults), capabilities })
    this.#root = new StoreRoot(root, flags)
    this.#fsync = flags.fsync
    this.#container = options.container
  }

  async putContainer(container: string, { signal }: StoreOptions): Promise<void> {
    await runMapped({ action: 'create the container', container, signal }, async () => {
      paths.checkNewContainer(container)
      const root = await this.#root.openForBackup(signal)
      if (await directories.makeContainer(root, container, this.#fsync)) this.#unused.add(container)
    })
  }

  async *getContainerEntries(
    container: string,
    prefix: string,
    { signal }: StoreOptions,
  ): AsyncGenerator<string> {
    throwIfAborted(signal)
    try {
      const names = await directories.listWithoutPathCheck(this.#root.openedPath, container, prefix)
      if (names?.length === 0) return
      const path = await this.#containerPath(container, signal)
      yield* names ?? directories.fileNames(path, prefix, signal)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT')
        throw storeError(error, { action: 'list the container', container, signal })
    }
  }

  getObjectWriter(
    container: string,
    objectName: string,
    // `claim` needs no extra work: link(2) is atomic.
    { signal, exclusive = false }: WriterOptions,
  ): Promise<PosixObjectWriter> {
    const call: FailedCall = {
      action: 'write the object',
      container,
      objectName,
      missing: 'CONTAINER_MISSING',
      signal,
    }
    return runMapped(call, async () => {
      paths.checkObjectName(objectName)
      const directory = await this.#containerPath(container, signal)
      this.#unused.delete(container)
      const onDiscard = (): Promise<void> => this.#removeIfEmpty(container)
      return PosixObjectWriter.open(
        { directory, container, objectName, onDiscard },
        { fsync: this.#fsync, exclusive },
        signal,
      )
    })
  }

  getObjectReader(
    container: string,
    objectName: string,
    { signal }: ObjectOptions,
  ): Promise<PosixObjectReader> {
    const call: FailedCall = {
      action: 'read the object',
      container,
      objectName,
      missing: 'OBJECT_MISSING',
      signal,
    }
    return runMapped(call, async () => {
      paths.checkObjectName(objectName)
      const directory = await this.#containerPath(container, signal)
      return PosixObjectReader.open({ directory, container, objectName }, signal)
    })
  }

  async deleteObject(container: string, objectName: string, options: StoreOptions): Promise<void> {
    const call: FailedCall = { action: 'delete the object', container, objectName, signal: options.signal }
    await runMapped(call, async () => {
      // Checked first: a read-only file system refuses to unlink even a name that does not exist.
      const found = await this.#isThere(container, objectName, options)
      if (!found) return
      // Not left to unlink(2), which has another errno for it on each system.
      if (found.isDirectory())
        throw new BackupError(
          'NOT_A_FILE',
          `Cannot delete the object "${objectName}" in "${container}": it is a directory. Move it away.`,
          { container, objectName },
        )
      const directory = await this.#containerPath(container, options.signal)
      await ignoring('ENOENT', unlink(join(directory, objectName)))
      await ignoring('ENOENT', directories.syncDirectory(directory, this.#fsync))
      await this.#removeIfEmpty(container)
    })
  }

  override objectExists(container: string, objectName: string, options: StoreOptions): Promise<boolean> {
    return runMapped(checkFor(container, objectName, options), async () => {
      return (await this.#isThere(container, objectName, options))?.isFile() ?? false
    })
  }

  /** Returns the modification time of the file. */
  override objectModifiedAt(
    container: string,
    objectName: string,
    options: StoreOptions,
  ): Promise<Date | undefined> {
    return runMapped(checkFor(container, objectName, options), async () => {
      return (await this.#isThere(container, objectName, options))?.mtime
    })
  }

  /** Returns the length of the file: file systems keep no MD5. */
  override objectInfo(
    container: string,
    objectName: string,
    options: StoreOptions,
  ): Promise<ObjectInfo | undefined> {
    return runMapped(checkFor(container, objectName, options), async () => {
      const found = await this.#isThere(container, objectName, options)
      return found?.isFile() === true ? { lengthBytes: found.size } : undefined
    })
  }

  override async *getContainers({
    signal,
    everywhere = false,
    only,
  }: ContainerOptions): AsyncGenerator<string> {
    throwIfAborted(signal)
    try {
      if (only !== undefined && paths.isAutomaticContainer(only)) {
        const found = await ignoring('ENOENT', this.#containerPath(only, signal))
        if (found !== undefined) yield only
        return
      }
      const root = await this.#root.open(signal)
      const onForeignLink = everywhere
        ? undefined
        : (name: string): void => {
            this.#warnOfLink(name)
          }
      if (this.#container !== undefined) yield this.#container
      for await (const container of directories.containersBelow(root, {
        signal,
        onForeignLink,
        isThorough: everywhere,
      })) {
        if (container !== this.#container) yield container
      }
    } catch (error) {
      throw storeError(error, { action: 'search the store for containers', signal })
    }
  }

  /** @throws `OPTION_INVALID` for an id that cannot be part of a file name */
  generateObjectNamePrefix({ id, volumeId, createdAt }: NewBackup): string {
    const timestamp = createdAt.toISOString().slice(0, 19).replace(/\D/g, '')
    const prefix = `volume_${volumeId}_${timestamp}_backup_${id}`
    paths.checkObjectName(`${prefix}_sha256file`)
    return prefix
  }

  updateContainerName(backup: NewBackup, container: string | null): string {
    // Cinder's driver never uses its own `backup_container`; here the option is honoured.
    return container ?? this.#container ?? paths.automaticContainer(backup.id)
  }

  getExtraMetadata(): Promise<ExtraMetadata> {
    return Promise.resolve(null)
  }

  /** Opens the store; writes, reads and deletes a small file. */
  async checkForSetupError(options: StoreOptions = {}): Promise<void> {
    checkOptions('the options of checkForSetupError()', options, storeShape)
    const { signal } = options
    await runMapped({ action: 'use the store', signal }, async () => {
      await probe(await this.#root.open(signal), this.#fsync, signal)
    })
  }

  /**
   * Makes the directory and its parents if they are missing, and writes the mark, also into a directory with backups of
   * Cinder. Rejects with `CONFLICT` for a directory that holds other files.
   */
  override async createStore(options: StoreOptions = {}): Promise<CreatedStore> {
    checkOptions('the options of createStore()', options, storeShape)
    this.assertOpen()
    const { signal } = options
    throwIfAborted(signal)
    return this.#root.create(signal)
  }

  override async ownsPath(path: string, options: StoreOptions = {}): Promise<boolean> {
    const root = await this.#root.open(options.signal)
    return (await paths.isBelow(root, path)) || (await isHardLinkInto(root, path, options.signal))
  }

  /**
   * Finds the temporary files of killed programs, and removes them unless `dryRun` is set. `olderThan` must be longer ago
   * than a running backup takes for one object.
   */
  override removeTemporaries(options: RemoveTemporariesOptions): Promise<TemporaryObject[]> {
    const call: FailedCall = { action: 'remove temporary files', signal: options.signal }
    return runMapped(call, async () => removeTemporaryFiles(await this.#root.open(options.signal), options))
  }

  /** Removes the empty directories of backups that failed before their first object. */
  protected override async onClose(): Promise<void> {
    const root = this.#root.openedPath
    if (root === undefined) return
    for (const container of this.#unused) await directories.removeIfEmpty(root, container)
  }

  async #containerPath(container: string, signal: AbortSignal | undefined): Promise<string> {
    // Names are checked first: an invalid one is the caller's error, even if the store does not exist.
    paths.containerSegments(container)
    return paths.containerPath(await this.#root.open(signal), container)
  }

  #warnOfLink(name: string): void {
    if (this.#linksWarnedOf.has(name)) return
    this.#linksWarnedOf.add(name)
    const message = `The store has a symbolic link, "${name}", to a directory elsewhere. Links are not followed: backups below it are not found. Remove the link, or put the directory itself there.`
    this.warn(message)
  }

  async #removeIfEmpty(container: string): Promise<void> {
    await directories.removeIfEmpty(await this.#root.open(), container)
  }

  async #isThere(
    container: string,
    objectName: string,
    { signal }: StoreOptions,
  ): Promise<Stats | undefined> {
    paths.checkObjectName(objectName)
    const path = this.#containerPath(container, signal)
    return ignoring(
      'ENOENT',
      path.then((directory) => lstat(join(directory, objectName))),
    )
  }
}

function checkFor(container: string, objectName: string, { signal }: StoreOptions): FailedCall {
  return { action: 'check for the object', container, objectName, signal }
}

/** Returns a driver for a directory, as Cinder's `get_backup_driver` does. Rejects with `OPTION_INVALID`. */
export function getBackupDriver(options: PosixDriverOptions): Promise<PosixBackupDriver> {
  return new Promise((resolve) => {
    resolve(new PosixBackupDriver(options))
  })
}
