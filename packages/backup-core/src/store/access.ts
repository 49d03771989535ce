import {
  signalOptions,
  type ObjectReader,
  type ObjectStore,
  type ReplayableBody,
  type StoreOptions,
} from '../contracts/object-store.js'
import type { ExtraMetadata } from '../contracts/records.js'
import { BackupError, isBackupError, type BackupErrorCode } from '../errors/backup-error.js'
import { isBackupObjectName, manifestObjectName, sha256fileObjectName } from '../format/object-names.js'
import { allowManyListeners } from '../pipeline/many-listeners.js'
import { withReader, writeObject } from './objects.js'

/** The maximum length of an object that is read into memory whole: 1 GiB. */
const MAX_WHOLE_BYTES = 2 ** 30

/** Where the objects of one backup are. */
export interface BackupLocation {
  readonly container: string
  readonly prefix: string
}

/** What is stored under a backup's prefix. */
export interface BackupListing {
  /** Names that a backup's objects can have. */
  readonly own: ReadonlySet<string>
  /** Other names that begin with the prefix: of another backup whose id begins with this one's, or of no backup. */
  readonly others: readonly string[]
}

/** A store, with the options of all calls to it during one operation. */
export class StoreAccess {
  readonly options: StoreOptions

  constructor(
    readonly store: ObjectStore,
    { signal }: { readonly signal?: AbortSignal | undefined },
  ) {
    if (signal) allowManyListeners(signal)
    this.options = signalOptions(signal)
  }

  /** The names in a container that begin with a prefix. */
  names(container: string, namePrefix = ''): AsyncIterable<string> {
    return this.store.getContainerEntries(container, namePrefix, this.options)
  }

  /** Lists a backup's objects. Names are checked: the prefix of backup `a` may also be a prefix of those of backup `ab`. */
  async list({ container, prefix }: BackupLocation): Promise<BackupListing> {
    const own = new Set<string>()
    const others: string[] = []
    for await (const name of this.names(container, prefix)) {
      if (isBackupObjectName(prefix, name)) own.add(name)
      else if (name.startsWith(prefix)) others.push(name)
    }
    return { own, others }
  }

  exists(container: string, objectName: string): Promise<boolean> {
    return this.store.objectExists(container, objectName, this.options)
  }

  /**
   * Whether an object can be opened. A check that, unlike a listing, never lags behind the objects.
   *
   * @throws what the store rejects with, other than `OBJECT_MISSING` and, since the object then exists, `OBJECT_TOO_LARGE`
   */
  async canOpen(container: string, objectName: string): Promise<boolean> {
    try {
      const options = { ...this.options, extraMetadata: null }
      await withReader(this.store, container, objectName, options, (reader) =>
        reader.read({ ...this.options, maxBytes: 0 }),
      )
      return true
    } catch (error) {
      if (isBackupError(error, 'OBJECT_TOO_LARGE')) return true
      if (isBackupError(error, 'OBJECT_MISSING')) return false
      throw error
    }
  }

  /** Passes an object's bytes to `use` in pieces, or in one piece where the store cannot stream. */
  stream<T>(
    container: string,
    objectName: string,
    use: (pieces: AsyncIterable<Uint8Array>) => Promise<T>,
    extraMetadata: ExtraMetadata = null,
  ): Promise<T> {
    const options = { ...this.options, extraMetadata }
    return withReader(this.store, container, objectName, options, (reader) =>
      use(reader.stream?.(this.options) ?? onePiece(reader, this.options)),
    )
  }

  /** Reads an object into memory. @throws BackupError `OBJECT_TOO_LARGE` above 1 GiB */
  read(container: string, objectName: string): Promise<Uint8Array> {
    return this.stream(container, objectName, async (pieces) => {
      const copies: Uint8Array[] = []
      let lengthBytes = 0
      for await (const piece of pieces) {
        lengthBytes += piece.length
        if (lengthBytes > MAX_WHOLE_BYTES) {
          const message = `Cannot read object ${objectName} into memory: it exceeds the limit of ${MAX_WHOLE_BYTES} bytes.`
          throw new BackupError('OBJECT_TOO_LARGE', message, { container, objectName })
        }
        // A piece is valid only until the next one is read.
        copies.push(Uint8Array.from(piece))
      }
      return Buffer.concat(copies)
    })
  }

  /** Stores one object, or leaves nothing visible under its name. */
  write(container: string, objectName: string, body: ReplayableBody): Promise<void> {
    return writeObject(this.store, container, objectName, body, { ...this.options, extraMetadata: null })
  }

  delete(container: string, objectName: string): Promise<void> {
    return this.store.deleteObject(container, objectName, this.options)
  }
}

async function* onePiece(reader: ObjectReader, options: StoreOptions): AsyncGenerator<Uint8Array> {
  yield await reader.read({ maxBytes: MAX_WHOLE_BYTES, ...options })
}

/** The two objects of every backup beside its data objects. */
export function controlObjectNames(prefix: string): readonly [metadata: string, sha256file: string] {
  return [manifestObjectName(prefix), sha256fileObjectName(prefix)]
}

/** Codes of a stored object that is damaged. */
const damagedCodes: readonly BackupErrorCode[] = [
  'METADATA_INVALID',
  'VERSION_UNSUPPORTED',
  'NOT_A_FILE',
  'OBJECT_CORRUPT',
  'OBJECT_TOO_LARGE',
]

/** Whether an error is a fault of a stored object, and not of the way to it. */
export function isStoredFault(error: unknown): error is BackupError {
  return isBackupError(error) && (damagedCodes.includes(error.code) || error.code === 'OBJECT_MISSING')
}

/** Whether an error concerns only the object or container that was read, so that others can still be read. */
export function isUnreadable(error: unknown): error is BackupError {
  return isBackupError(error) && (damagedCodes.includes(error.code) || error.code === 'FORBIDDEN')
}

/** The result of reading an object; undefined where it is missing or cannot be read, and others can. */
export async function ifReadable<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isUnreadable(error) || isBackupError(error, 'OBJECT_MISSING')) return undefined
    throw error
  }
}
