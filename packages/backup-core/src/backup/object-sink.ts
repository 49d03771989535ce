import type { Compressor } from '../contracts/compressor.js'
import type { ObjectOptions, ObjectStore, ReplayableBody } from '../contracts/object-store.js'
import { isBackupError } from '../errors/backup-error.js'
import { writeObject } from '../store/objects.js'

/** Where a backup's objects go. */
export interface ObjectSink {
  readonly store: ObjectStore
  readonly container: string
  /** Writes the backup's objects. */
  readonly written: WrittenObjects
  readonly compression: Compressor | null
  readonly compressedZeros: CompressedZerosCache
  readonly extraMetadata: ObjectOptions['extraMetadata']
}

/**
 * Writes the objects of one backup run, and records those that the run may have created: a clean-up removes them, and no
 * others. No object is replaced where the store can create exclusively.
 */
export class WrittenObjects {
  readonly #store: ObjectStore
  readonly #container: string
  readonly #names = new Set<string>()

  constructor(store: ObjectStore, container: string) {
    this.#store = store
    this.#container = container
  }

  /** Names of objects that this run created, or may have created: a response that was lost may have been a success. */
  get names(): ReadonlySet<string> {
    return this.#names
  }

  /** @throws BackupError `CONFLICT` where the object already exists: another run wrote it, and {@link names} lacks it */
  async write(objectName: string, body: ReplayableBody, options: ObjectOptions): Promise<void> {
    const exclusive = this.#store.capabilities.exclusiveCreate === true
    this.#names.add(objectName)
    try {
      const writerOptions = exclusive ? { ...options, exclusive } : options
      await writeObject(this.#store, this.#container, objectName, body, writerOptions)
    } catch (error) {
      if (isBackupError(error, 'CONFLICT')) this.#names.delete(objectName)
      throw error
    }
  }
}

/** deflate compresses zeros of the largest usual chunk, 1.86 GiB, to 2 MB; others to a few bytes. */
const MAX_CACHE_BYTES = 8 * 1024 * 1024

/** Compressed zeros by their uncompressed length: the same for all chunks of zeros of a backup. */
export class CompressedZerosCache {
  readonly #compressed = new Map<number, Uint8Array>()
  #bytes = 0

  get(lengthBytes: number): Uint8Array | undefined {
    return this.#compressed.get(lengthBytes)
  }

  /** Keeps a copy, unless the cache is full. */
  remember(lengthBytes: number, compressed: Uint8Array): void {
    if (this.#compressed.has(lengthBytes) || this.#bytes + compressed.length > MAX_CACHE_BYTES) return
    this.#compressed.set(lengthBytes, compressed.slice())
    this.#bytes += compressed.length
  }
}
