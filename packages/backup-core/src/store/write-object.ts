import { throwIfAborted } from '../errors/abort.js'
import type { ReplayableBody } from '../driver/object-io.js'
import type { StepListener } from '../progress/progress.js'
import type { ObjectStore, WriterOptions } from '../driver/object-store.js'

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

/** A body that is in memory already, in one piece. */
export function bytesBody(bytes: Uint8Array): ReplayableBody {
  return partsBody([bytes])
}

/** A body that is in memory already, and whose MD5 can be had where it is known. */
export function partsBody(parts: readonly Uint8Array[], md5?: () => Promise<string>): ReplayableBody {
  return {
    lengthBytes: parts.reduce((sum, part) => sum + part.length, 0),
    ...(md5 === undefined ? {} : { md5 }),
    // eslint-disable-next-line @typescript-eslint/require-await -- nothing to wait for: it is all here
    async *stream() {
      yield* parts
    },
  }
}

/** The most that is handed over at a time of a body that is counted, so that a slow store is seen to move. */
const COUNTED_BYTES = 4 * 1024 * 1024

/** The same body of parts in memory, which tells how far it has gone out. */
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
          // The consumer asks for the next part once it has sent this one.
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
