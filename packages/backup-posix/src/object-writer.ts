import { throwIfAborted } from '@stowage/backup-core'
import type { BackupError, ObjectWriter } from '@stowage/backup-core'
import { randomUUID } from 'node:crypto'
import { constants, open, rename, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from './directories.js'
import { storeError } from './errors.js'

/** Where an object is, or is to be. */
export interface ObjectPlace {
  /** The path of the container, which is there and was checked. */
  readonly directory: string
  readonly container: string
  readonly objectName: string
  /** Called after an abort: what was made for this object alone may go. */
  readonly discarded?: () => Promise<void>
}

/** Of every object, whatever the umask: as Cinder's. */
const fileMode = 0o660

/** The most bytes of one system call, so that a signal is heard between two. */
const pieceBytes = 16 * 1024 * 1024

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/**
 * Writes under a temporary name, and renames at the end: the object is there whole or not at all. The temporary name
 * is a dot file in the same directory, since Cinder's restore aborts on any other file under a backup's prefix.
 */
export class PosixObjectWriter implements ObjectWriter {
  #state: 'open' | 'renamed' | 'done' = 'open'

  private constructor(
    private readonly handle: FileHandle,
    private readonly temporary: string,
    private readonly place: ObjectPlace,
    private readonly fsync: boolean,
    private readonly signal: AbortSignal | undefined,
  ) {}

  static async open(place: ObjectPlace, fsync: boolean, signal?: AbortSignal): Promise<PosixObjectWriter> {
    throwIfAborted(signal, 'Writing')
    const temporary = join(place.directory, `.stowage-${randomUUID()}.tmp`)
    const handle = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, fileMode)
    const writer = new PosixObjectWriter(handle, temporary, place, fsync, signal)
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
      // A nearly full disk takes a part of the bytes, and says so with no error but the count.
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
      if (this.fsync) await this.handle.sync()
      // Network file systems report a full disk here.
      await this.handle.close()
      throwIfAborted(this.signal, 'Writing')
      await rename(this.temporary, join(this.place.directory, this.place.objectName))
      this.#state = 'renamed'
      await syncDirectory(this.place.directory, this.fsync)
      this.#state = 'done'
    } catch (error) {
      throw this.#failed(error)
    }
  }

  async abort(): Promise<void> {
    if (this.#state === 'done') return
    const { directory, objectName, discarded } = this.place
    const written = this.#state === 'renamed' ? join(directory, objectName) : this.temporary
    this.#state = 'done'
    // Abort never rejects: what made the caller abort is the error to tell.
    await this.handle.close().catch(() => undefined)
    await unlink(written).catch(() => undefined)
    await discarded?.().catch(() => undefined)
  }

  #failed(error: unknown): BackupError {
    const { container, objectName } = this.place
    return storeError(error, {
      action: 'write the object',
      container,
      objectName,
      missing: 'CONTAINER_MISSING',
    })
  }
}
