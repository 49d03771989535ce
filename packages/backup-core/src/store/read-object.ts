import type { ObjectReader } from '../driver/object-io.js'
import type { ObjectOptions, ObjectStore } from '../driver/object-store.js'
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

/** The largest `_metadata` or `_sha256file` that is read from a store that cannot stream: 1 GiB. */
const MAX_WHOLE_BYTES = 2 ** 30

async function* onePiece(reader: ObjectReader, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  yield await reader.read({ maxBytes: MAX_WHOLE_BYTES, ...signalOptions(signal) })
}
