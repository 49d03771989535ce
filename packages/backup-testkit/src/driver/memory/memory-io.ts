import { BackupError, throwIfAborted } from '@stowage/backup-core'
import type { ObjectReader, ObjectWriter, ReadOptions, StoreOptions } from '@stowage/backup-core'
import type { MemoryStore } from './memory-store.js'

/** The size of what `stream` gives: small, so that even a small object comes in several pieces. */
const pieceBytes = 16 * 1024

/** Where an object goes, and whether it may replace another. */
export interface MemoryObjectPlace {
  readonly container: string
  readonly objectName: string
  readonly exclusive: boolean
}

/** Gathers an object, and puts it into the store in one step. */
export class MemoryObjectWriter implements ObjectWriter {
  #pieces: Uint8Array[] = []

  constructor(
    private readonly store: MemoryStore,
    private readonly place: MemoryObjectPlace,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.#checkContainer()
  }

  write(bytes: Uint8Array): Promise<void> {
    return attempt(() => {
      throwIfAborted(this.signal)
      this.#pieces.push(Uint8Array.from(bytes))
    })
  }

  close(): Promise<void> {
    return attempt(() => {
      throwIfAborted(this.signal)
      this.#checkContainer()
      const { container, objectName, exclusive } = this.place
      if (exclusive && this.store.get(container, objectName) !== undefined) {
        throw new BackupError('CONFLICT', `The object "${objectName}" exists in "${container}" already.`, {
          container,
          objectName,
        })
      }
      this.store.set(container, objectName, Buffer.concat(this.#pieces))
    })
  }

  abort(): Promise<void> {
    this.#pieces = []
    return Promise.resolve()
  }

  #checkContainer(): void {
    const { container, objectName } = this.place
    if (this.store.hasContainer(container)) return
    throw new BackupError('CONTAINER_MISSING', `Container "${container}" does not exist: create it first.`, {
      container,
      objectName,
    })
  }
}

/** Reads an object out of the store, as it is at each call. */
export class MemoryObjectReader implements ObjectReader {
  constructor(
    private readonly store: MemoryStore,
    private readonly container: string,
    private readonly objectName: string,
    private readonly signal: AbortSignal | undefined,
  ) {}

  read(options: ReadOptions = {}): Promise<Uint8Array> {
    return this.#range(0, Number.MAX_SAFE_INTEGER, options)
  }

  async *stream(options: StoreOptions = {}): AsyncGenerator<Uint8Array> {
    const { byteLength } = await attempt(() => this.#bytes(options.signal))
    for (let offset = 0; offset < byteLength; offset += pieceBytes) {
      yield await this.#range(offset, pieceBytes, options)
    }
  }

  readRange(offsetBytes: number, lengthBytes: number, options: ReadOptions = {}): Promise<Uint8Array> {
    return this.#range(offsetBytes, lengthBytes, options)
  }

  #range(offsetBytes: number, lengthBytes: number, options: ReadOptions): Promise<Uint8Array> {
    return attempt(() => {
      const found = this.#bytes(options.signal).subarray(offsetBytes, offsetBytes + lengthBytes)
      const { buffer, maxBytes = Infinity } = options
      if (found.byteLength > maxBytes) {
        throw this.#error(
          'OBJECT_TOO_LARGE',
          `has ${found.byteLength} bytes, more than the ${maxBytes} allowed`,
        )
      }
      if (!buffer || buffer.byteLength < found.byteLength) return Uint8Array.from(found)
      buffer.set(found)
      return buffer.subarray(0, found.byteLength)
    })
  }

  #bytes(signal: AbortSignal | undefined): Uint8Array {
    throwIfAborted(this.signal)
    throwIfAborted(signal)
    const bytes = this.store.get(this.container, this.objectName)
    if (bytes === undefined) throw this.#error('OBJECT_MISSING', 'is not there')
    return bytes
  }

  #error(code: 'OBJECT_MISSING' | 'OBJECT_TOO_LARGE', what: string): BackupError {
    const { container, objectName } = this
    return new BackupError(code, `The object "${objectName}" in "${container}" ${what}.`, {
      container,
      objectName,
    })
  }
}

/** What the body returns or throws, as a promise. */
function attempt<T>(body: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(body())
  })
}
