import { BackupError, throwIfAborted } from '@stowage/backup-core'
import type { ObjectWriter } from '@stowage/backup-core'
import { randomUUID } from 'node:crypto'
import { constants, open, rename, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from './directories.js'
import { storeError } from './errors.js'
import { publishExclusively } from './exclusive-name.js'
import type { Link } from './exclusive-name.js'

/** Where an object is written or read. */
export interface ObjectFile {
  /** The path of the container, which exists and has been checked. */
  readonly directory: string
  readonly container: string
  readonly objectName: string
  /** Called after an abort, to remove directories that were made only for this object. */
  readonly onDiscard?: () => Promise<void>
}

/** How an object is written. */
export interface WriteMode {
  /** Waits until the bytes and the name are durable. */
  readonly fsync: boolean
  /** Fails with `CONFLICT` if the name exists, instead of replacing it. */
  readonly exclusive: boolean
  /** For tests: a file system without hard links. @default link(2) */
  readonly link?: Link
}

/** The mode of every object, whatever the umask; Cinder's is the same. */
const fileMode = 0o660

/** The maximum length of one system call; the signal is checked between two. */
const pieceBytes = 16 * 1024 * 1024

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/**
 * Writes a file under a temporary name, and renames it atomically at the end. An exclusive writer uses link(2) instead, which
 * fails with EEXIST where rename(2) would replace the file. The temporary file is a dot file in the same directory,
 * since Cinder's restore aborts on any other file under a backup's prefix.
 */
export class PosixObjectWriter implements ObjectWriter {
  #state: 'open' | 'named' | 'done' = 'open'

  private constructor(
    private readonly handle: FileHandle,
    private readonly temporary: string,
    private readonly destination: ObjectFile,
    private readonly mode: WriteMode,
    private readonly signal: AbortSignal | undefined,
  ) {}

  static async open(
    destination: ObjectFile,
    mode: WriteMode,
    signal?: AbortSignal,
  ): Promise<PosixObjectWriter> {
    throwIfAborted(signal, 'Writing')
    const temporary = join(destination.directory, `.stowage-${randomUUID()}.tmp`)
    const handle = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, fileMode)
    const writer = new PosixObjectWriter(handle, temporary, destination, mode, signal)
    try {
      await handle.chmod(fileMode)
    } catch (error) {
      await writer.abort()
      throw error
    }
    return writer
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      // On a nearly full disk, write(2) may write a part of the bytes and report no error.
      for (let done = 0; done < bytes.byteLength;) {
        throwIfAborted(this.signal, 'Writing')
        const length = Math.min(bytes.byteLength - done, pieceBytes)
        done += (await this.handle.write(bytes, done, length, null)).bytesWritten
      }
      throwIfAborted(this.signal, 'Writing')
    } catch (error) {
      throw this.#failed(error)
    }
  }

  async close(): Promise<void> {
    try {
      throwIfAborted(this.signal, 'Writing')
      if (this.mode.fsync) await this.handle.sync()
      // Network file systems report a full disk here.
      await this.handle.close()
      throwIfAborted(this.signal, 'Writing')
      await this.#publish(join(this.destination.directory, this.destination.objectName))
      await syncDirectory(this.destination.directory, this.mode.fsync)
      this.#state = 'done'
    } catch (error) {
      throw this.#failed(error)
    }
  }

  async abort(): Promise<void> {
    if (this.#state === 'done') return
    const { directory, objectName, onDiscard } = this.destination
    const written = this.#state === 'named' ? join(directory, objectName) : this.temporary
    this.#state = 'done'
    // Never rejects: the caller reports the error that made it abort.
    await this.handle.close().catch(() => undefined)
    await unlink(written).catch(() => undefined)
    await onDiscard?.().catch(() => undefined)
  }

  async #publish(path: string): Promise<void> {
    if (!this.mode.exclusive) {
      await rename(this.temporary, path)
      this.#state = 'named'
      return
    }
    const { directory, objectName } = this.destination
    const { temporary } = this
    if (!(await publishExclusively({ directory, objectName, temporary, link: this.mode.link }))) {
      throw this.#exists()
    }
    this.#state = 'named'
  }

  #exists(): BackupError {
    const { container, objectName } = this.destination
    return new BackupError(
      'CONFLICT',
      `Cannot write the object "${objectName}" in "${container}": it exists already, and was left unchanged.`,
      { container, objectName },
    )
  }

  #failed(error: unknown): BackupError {
    const { container, objectName } = this.destination
    return storeError(error, {
      action: 'write the object',
      container,
      objectName,
      missing: 'CONTAINER_MISSING',
    })
  }
}
