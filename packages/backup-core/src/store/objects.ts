import {
  signalOptions,
  type ObjectOptions,
  type ObjectReader,
  type ObjectStore,
  type ReplayableBody,
  type StoreOptions,
  type WriterOptions,
} from '../contracts/object-store.js'
import { BackupError, isBackupError, throwIfAborted } from '../errors/backup-error.js'
import type { StepListener } from '../contracts/progress.js'
import { isBackupObjectName, metadataObjectName, sha256fileObjectName } from '../format/object-names.js'

/** Opens an object, passes its reader to `use`, and closes it whatever happens. */
export async function withReader<T>(
  store: ObjectStore,
  container: string,
  objectName: string,
  options: ObjectOptions,
  use: (reader: ObjectReader) => Promise<T>,
): Promise<T> {
  const reader = await store.getObjectReader(container, objectName, options)
  try {
    return await use(reader)
  } finally {
    await reader.close?.()
  }
}

/** Passes an object's bytes to `use` in pieces, or in one piece where the store cannot stream. */
export function readStream<T>(
  store: ObjectStore,
  container: string,
  objectName: string,
  options: ObjectOptions,
  use: (pieces: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  return withReader(store, container, objectName, options, (reader) => {
    return use(reader.stream?.(signalOptions(options.signal)) ?? onePiece(reader, options.signal))
  })
}

/** Reads an object into memory. @throws BackupError `OBJECT_TOO_LARGE` above 1 GiB */
export function readBytes(
  store: ObjectStore,
  container: string,
  objectName: string,
  options: StoreOptions,
): Promise<Uint8Array> {
  return readStream(store, container, objectName, { ...options, extraMetadata: null }, async (pieces) => {
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

/** The maximum length of an object that is read into memory whole: 1 GiB. */
const MAX_WHOLE_BYTES = 2 ** 30

async function* onePiece(reader: ObjectReader, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  yield await reader.read({ maxBytes: MAX_WHOLE_BYTES, ...signalOptions(signal) })
}

/**
 * Whether an object can be opened. A check that, unlike a listing, never lags behind the objects.
 *
 * @throws what the store rejects with, other than `OBJECT_MISSING` and, since the object then exists, `OBJECT_TOO_LARGE`
 */
export async function canOpen(
  store: ObjectStore,
  container: string,
  objectName: string,
  options: StoreOptions,
): Promise<boolean> {
  try {
    await withReader(store, container, objectName, { ...options, extraMetadata: null }, (reader) =>
      reader.read({ ...options, maxBytes: 0 }),
    )
    return true
  } catch (error) {
    if (isBackupError(error, 'OBJECT_TOO_LARGE')) return true
    if (isBackupError(error, 'OBJECT_MISSING')) return false
    throw error
  }
}

/** Stores one object, or leaves nothing visible under its name. */
export async function writeObject(
  store: ObjectStore,
  container: string,
  objectName: string,
  body: ReplayableBody,
  options: WriterOptions,
): Promise<void> {
  throwIfAborted(options.signal)
  const writer = await store.getObjectWriter(container, objectName, options)
  try {
    if (writer.writeFrom) await writer.writeFrom(body)
    else if (store.capabilities.streamingWrites) {
      for await (const piece of body.stream()) {
        throwIfAborted(options.signal)
        await writer.write(piece)
      }
    } else await writer.write(await whole(body))
    throwIfAborted(options.signal)
    await writer.close()
  } catch (error) {
    await writer.abort()
    throw error
  }
}

/** Returns the body of an object that is in memory in one piece. */
export function bytesBody(bytes: Uint8Array): ReplayableBody {
  return partsBody([bytes])
}

/** Returns the body of an object that is in memory, with its MD5 where that is known. */
export function partsBody(parts: readonly Uint8Array[], md5?: () => Promise<string>): ReplayableBody {
  return {
    lengthBytes: parts.reduce((sum, part) => sum + part.length, 0),
    ...(md5 === undefined ? {} : { md5 }),
    // eslint-disable-next-line @typescript-eslint/require-await -- all of it is in memory
    async *stream() {
      yield* parts
    },
  }
}

/** The maximum piece of a body whose progress is reported: small enough that a slow store shows progress. */
const COUNTED_BYTES = 4 * 1024 * 1024

/** Returns the same body, which reports how much of it has been sent. */
export function countedBody(body: ReplayableBody, onSent: StepListener): ReplayableBody {
  const { lengthBytes } = body
  return {
    ...body,
    async *stream() {
      let sentBytes = 0
      for await (const piece of body.stream()) {
        for (let offset = 0; offset < piece.length; offset += COUNTED_BYTES) {
          const part = piece.subarray(offset, offset + COUNTED_BYTES)
          yield part
          // The consumer reads the next part once it has sent this one.
          sentBytes += part.length
          onSent(sentBytes, lengthBytes)
        }
      }
    },
  }
}

async function whole(body: ReplayableBody): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined
  let end = 0
  for await (const piece of body.stream()) {
    // A chunk is one piece, in memory already: no second copy of it.
    if (piece.length === body.lengthBytes) return piece
    bytes ??= new Uint8Array(body.lengthBytes)
    bytes.set(piece, end)
    end += piece.length
  }
  return bytes ?? new Uint8Array(0)
}

/** What is stored under a backup's prefix. */
export interface BackupListing {
  /** Names that a backup's objects can have. */
  readonly own: ReadonlySet<string>
  /** Other names that begin with the prefix: of another backup whose id begins with this one's, or of no backup. */
  readonly others: readonly string[]
}

/** Lists a backup's objects. Names are checked: the prefix of backup `a` may also be a prefix of those of backup `ab`. */
export async function listBackupObjects(
  store: ObjectStore,
  container: string,
  prefix: string,
  options: StoreOptions,
): Promise<BackupListing> {
  const own = new Set<string>()
  const others: string[] = []
  for await (const name of store.getContainerEntries(container, prefix, options)) {
    if (isBackupObjectName(prefix, name)) own.add(name)
    else if (name.startsWith(prefix)) others.push(name)
  }
  return { own, others }
}

/** The two objects of every backup beside its chunks. */
export function controlObjectNames(prefix: string): readonly [metadata: string, sha256file: string] {
  return [metadataObjectName(prefix), sha256fileObjectName(prefix)]
}
