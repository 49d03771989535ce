import type {
  ObjectOptions,
  ObjectReader,
  ObjectStore,
  ReplayableBody,
  WriterOptions,
} from '../contracts/object-store.js'
import { throwIfAborted } from '../errors/backup-error.js'
import type { ByteProgressListener } from '../contracts/progress.js'

/** Opens an object, passes its reader to `use`, and closes it whatever happens. */
export async function withReader<T>(
  store: ObjectStore,
  container: string,
  objectName: string,
  options: ObjectOptions,
  use: (reader: ObjectReader) => Promise<T>,
): Promise<T> {
  const reader = await store.getObjectReader(container, objectName, options)
  let result: T
  try {
    result = await use(reader)
  } catch (error) {
    // The first error is the one to report: a retry, or a verification, depends on its code.
    await reader.close?.().catch(() => undefined)
    throw error
  }
  await reader.close?.()
  return result
}

/**
 * Stores one object, or leaves nothing visible under its name.
 *
 * @param onFailure - called with the error before the writer is aborted. What the abort removes, such as the container that
 *   the writer made, may fail other writes: their errors must not come first
 */
export async function writeObject(
  store: ObjectStore,
  container: string,
  objectName: string,
  body: ReplayableBody,
  options: WriterOptions,
  onFailure?: (error: unknown) => void,
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
    onFailure?.(error)
    await writer.abort().catch(() => undefined)
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
export function countedBody(body: ReplayableBody, onSent: ByteProgressListener): ReplayableBody {
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

/** Returns the same body, whose last piece is not produced before a condition is met: the object cannot be complete before. */
export function withheldBody(body: ReplayableBody, beforeLastPiece: () => Promise<void>): ReplayableBody {
  const { lengthBytes } = body
  return {
    lengthBytes,
    ...(body.md5 === undefined ? {} : { md5: body.md5.bind(body) }),
    ...(body.md5OfStream === undefined ? {} : { md5OfStream: body.md5OfStream.bind(body) }),
    async *stream() {
      let leftBytes = lengthBytes
      if (leftBytes === 0) await beforeLastPiece()
      for await (const piece of body.stream()) {
        leftBytes -= piece.length
        if (leftBytes === 0) await beforeLastPiece()
        yield piece
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
