import { ChunkedBackupDriver, throwIfAborted } from '@stowage/backup-core'
import type {
  DriverCapabilities,
  ExtraMetadata,
  NewBackup,
  ObjectOptions,
  StoreOptions,
  WriterOptions,
} from '@stowage/backup-core'
import type { Stats } from 'node:fs'
import { lstat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import * as directories from './directories.js'
import { errnoOf, ignoring, storeError, translated } from './errors.js'
import type { FailedCall } from './errors.js'
import { PosixObjectReader } from './object-reader.js'
import { PosixObjectWriter } from './object-writer.js'
import { posixDefaults, resolveFsync, resolveRoot } from './options.js'
import type { PosixDriverOptions } from './options.js'
import * as paths from './paths.js'
import { probe } from './probe.js'

/** Keeps backups in a directory, as Cinder's POSIX driver does: a directory a container, a file an object. */
export class PosixBackupDriver extends ChunkedBackupDriver {
  readonly capabilities: DriverCapabilities = Object.freeze({
    streamingReads: true,
    rangedReads: true,
    streamingWrites: true,
    exclusiveCreate: true,
    containerListing: true,
    maxObjectNameBytes: paths.maxNameBytes,
  })

  readonly #root: string
  readonly #fsync: boolean
  readonly #container: string | undefined

  /** Throws `OPTION_INVALID`. Touches nothing on disk. */
  constructor({ path, fsync, ...options }: PosixDriverOptions) {
    const root = resolveRoot(path)
    if (options.container !== undefined) paths.containerSegments(options.container)
    super(options, posixDefaults)
    this.#root = root
    this.#fsync = resolveFsync(fsync)
    this.#container = options.container
  }

  async putContainer(container: string, { signal }: StoreOptions): Promise<void> {
    throwIfAborted(signal)
    await translated({ action: 'create the container', container }, async () => {
      paths.checkNewContainer(container)
      await directories.makeRoot(this.#root)
      await directories.makeContainer(this.#root, container, this.#fsync)
    })
  }

  async *getContainerEntries(
    container: string,
    prefix: string,
    { signal }: StoreOptions,
  ): AsyncGenerator<string> {
    throwIfAborted(signal)
    try {
      yield* directories.fileNames(await paths.containerPath(this.#root, container), prefix, signal)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw storeError(error, { action: 'list the container', container })
    }
  }

  getObjectWriter(
    container: string,
    objectName: string,
    { signal, exclusive = false }: WriterOptions,
  ): Promise<PosixObjectWriter> {
    const call: FailedCall = {
      action: 'write the object',
      container,
      objectName,
      missing: 'CONTAINER_MISSING',
    }
    return translated(call, async () => {
      paths.checkObjectName(objectName)
      const directory = await paths.containerPath(this.#root, container)
      const discarded = (): Promise<void> => directories.removeIfEmpty(this.#root, container)
      return PosixObjectWriter.open(
        { directory, container, objectName, discarded },
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
    const call: FailedCall = { action: 'read the object', container, objectName, missing: 'OBJECT_MISSING' }
    return translated(call, async () => {
      paths.checkObjectName(objectName)
      const directory = await paths.containerPath(this.#root, container)
      return PosixObjectReader.open({ directory, container, objectName }, signal)
    })
  }

  async deleteObject(container: string, objectName: string, options: StoreOptions): Promise<void> {
    throwIfAborted(options.signal)
    await translated({ action: 'delete the object', container, objectName }, async () => {
      // Looked for first: a read-only file system refuses to unlink even a name that is not there.
      if (!(await this.#isThere(container, objectName))) return
      const directory = await paths.containerPath(this.#root, container)
      await ignoring('ENOENT', unlink(join(directory, objectName)))
      await ignoring('ENOENT', directories.syncDirectory(directory, this.#fsync))
      await directories.removeIfEmpty(this.#root, container)
    })
  }

  override async objectExists(
    container: string,
    objectName: string,
    options: StoreOptions,
  ): Promise<boolean> {
    throwIfAborted(options.signal)
    return translated({ action: 'look for the object', container, objectName }, async () => {
      return (await this.#isThere(container, objectName))?.isFile() ?? false
    })
  }

  override async *getContainers({ signal }: StoreOptions): AsyncGenerator<string> {
    throwIfAborted(signal)
    try {
      if (this.#container !== undefined) yield this.#container
      const root = await paths.realRoot(this.#root)
      for await (const container of directories.directoriesWithFiles(root, signal)) {
        if (container !== this.#container) yield container
      }
    } catch (error) {
      throw storeError(error, { action: `look for containers in "${this.#root}"` })
    }
  }

  /** Throws `OPTION_INVALID` for an id that cannot be part of a file's name. */
  generateObjectNamePrefix({ id, volumeId, createdAt }: NewBackup): string {
    const timestamp = createdAt.toISOString().slice(0, 19).replace(/\D/g, '')
    const prefix = `volume_${volumeId}_${timestamp}_backup_${id}`
    paths.checkObjectName(`${prefix}_sha256file`)
    return prefix
  }

  updateContainerName(backup: NewBackup, container: string | null): string {
    // Cinder's driver never gets as far as its own `backup_container`; here the option means what it says.
    return container ?? this.#container ?? paths.automaticContainer(backup.id)
  }

  getExtraMetadata(): Promise<ExtraMetadata> {
    return Promise.resolve(null)
  }

  /** Writes, renames, reads and deletes a small file, after making the root where it is missing. */
  async checkForSetupError({ signal }: StoreOptions = {}): Promise<void> {
    await translated({ action: `use "${this.#root}" as a store` }, async () => {
      await directories.makeRoot(this.#root)
      await probe(await paths.realRoot(this.#root), this.#fsync, signal)
    })
  }

  async #isThere(container: string, objectName: string): Promise<Stats | undefined> {
    paths.checkObjectName(objectName)
    const path = paths.containerPath(this.#root, container)
    return ignoring(
      'ENOENT',
      path.then((directory) => lstat(join(directory, objectName))),
    )
  }
}

/** A driver for a directory: what Cinder calls `get_backup_driver`. Rejects with `OPTION_INVALID`. */
export function getBackupDriver(options: PosixDriverOptions): Promise<PosixBackupDriver> {
  return new Promise((resolve) => {
    resolve(new PosixBackupDriver(options))
  })
}
