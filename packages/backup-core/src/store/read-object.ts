import type { ObjectReader, StoreOptions } from '../driver/object-io.js'
import type { ObjectOptions, ObjectStore } from '../driver/object-store.js'
import { BackupError } from '../errors/backup-error.js'
import { signalOptions } from '../driver/signal-options.js'

/** Opens an object, hands its reader to `use`, and closes it whatever happens. */
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

/** Hands an object's bytes to `use` in pieces, or in one where the store cannot stream. */
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

/** An object's bytes, for one that belongs in memory. Rejects with `OBJECT_TOO_LARGE` above 1 GiB. */
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
        throw new BackupError(
          'OBJECT_TOO_LARGE',
          `${objectName} exceeds the limit of ${MAX_WHOLE_BYTES} bytes.`,
          {
            container,
            objectName,
          },
        )
      }
      // A piece is only good until the next one is asked for.
      copies.push(Uint8Array.from(piece))
    }
    return Buffer.concat(copies)
  })
}

/** The largest `_metadata` or `_sha256file` that is read from a store that cannot stream: 1 GiB. */
const MAX_WHOLE_BYTES = 2 ** 30

async function* onePiece(reader: ObjectReader, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  yield await reader.read({ maxBytes: MAX_WHOLE_BYTES, ...signalOptions(signal) })
}
