import { BackupError, throwIfAborted } from '@stowage/backup-core'
import type { ObjectReader, ReadOptions, StoreOptions } from '@stowage/backup-core'
import { constants, open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, storeError } from './errors.js'
import type { ObjectFile } from './object-writer.js'

/** The maximum length of one system call; between two, the signal is checked and progress is reported. */
const pieceBytes = 8 * 1024 * 1024

/** The size of the pieces of `stream`. */
const streamBytes = 1024 * 1024

/** Without O_NONBLOCK, opening a FIFO would block until it has a writer. */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Reads one file. Objects are renamed into place, so that an open one never changes. */
export class PosixObjectReader implements ObjectReader {
  #closed = false

  private constructor(
    private readonly handle: FileHandle,
    private readonly destination: ObjectFile,
    private readonly sizeBytes: number,
    private readonly signal: AbortSignal | undefined,
  ) {}

  static async open(destination: ObjectFile, signal?: AbortSignal): Promise<PosixObjectReader> {
    throwIfAborted(signal, 'Reading')
    const handle = await open(join(destination.directory, destination.objectName), flags)
    try {
      const stat = await handle.stat()
      if (stat.isFile()) return new PosixObjectReader(handle, destination, stat.size, signal)
      throw new BackupError(
        'NOT_A_FILE',
        `Cannot read the object "${destination.objectName}" in "${destination.container}": it is not a regular file. Move it away.`,
        {
          container: destination.container,
          objectName: destination.objectName,
        },
      )
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  read(options: ReadOptions = {}): Promise<Uint8Array> {
    return this.readRange(0, this.sizeBytes, options)
  }

  async *stream(options: StoreOptions = {}): AsyncGenerator<Uint8Array> {
    const piece = Buffer.allocUnsafeSlow(Math.min(streamBytes, this.sizeBytes))
    for (let offset = 0; offset < this.sizeBytes; offset += piece.byteLength) {
      yield await this.readRange(offset, piece.byteLength, { ...options, buffer: piece })
    }
  }

  async readRange(offsetBytes: number, lengthBytes: number, options: ReadOptions = {}): Promise<Uint8Array> {
    if (!isSize(offsetBytes) || !isSize(lengthBytes)) {
      throw new BackupError(
        'OPTION_INVALID',
        'A range needs an offset and a length that are whole numbers from 0 on.',
      )
    }
    const wanted = Math.max(0, Math.min(lengthBytes, this.sizeBytes - offsetBytes))
    if (wanted > (options.maxBytes ?? Infinity)) throw this.#error('OBJECT_TOO_LARGE', `has ${wanted} bytes`)
    const { buffer } = options
    const into =
      buffer && buffer.byteLength >= wanted ? buffer.subarray(0, wanted) : Buffer.allocUnsafeSlow(wanted)
    await this.#fill(into, offsetBytes, options)
    return into
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.handle.close()
  }

  async #fill(into: Uint8Array, offsetBytes: number, { signal, onProgress }: ReadOptions): Promise<void> {
    for (let done = 0; done < into.byteLength;) {
      this.#throwIfAborted(signal)
      const length = Math.min(into.byteLength - done, pieceBytes)
      const bytesRead = await this.#pread(into, done, length, offsetBytes + done)
      if (bytesRead === 0) throw this.#error('OBJECT_CORRUPT', 'was cut short while it was read')
      done += bytesRead
      onProgress?.(done, into.byteLength)
    }
    this.#throwIfAborted(signal)
  }

  async #pread(into: Uint8Array, at: number, length: number, position: number): Promise<number> {
    try {
      return (await this.handle.read(into, at, length, position)).bytesRead
    } catch (error) {
      // An unreadable sector is a damaged object, not an unavailable store.
      if (errnoOf(error) === 'EIO')
        throw this.#error('OBJECT_CORRUPT', 'has a part the device cannot read', error)
      const { container, objectName } = this.destination
      throw storeError(error, { action: 'read the object', container, objectName, missing: 'OBJECT_MISSING' })
    }
  }

  #throwIfAborted(signal: AbortSignal | undefined): void {
    throwIfAborted(this.signal, 'Reading')
    throwIfAborted(signal, 'Reading')
  }

  #error(code: 'OBJECT_TOO_LARGE' | 'OBJECT_CORRUPT', what: string, cause?: unknown): BackupError {
    const { container, objectName } = this.destination
    const text = `The object "${objectName}" in "${container}" ${what}.`
    const advice = code === 'OBJECT_TOO_LARGE' ? 'That is more than the caller accepts.' : 'Check the disk.'
    return new BackupError(code, `${text} ${advice}`, { cause, container, objectName })
  }
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
