import { createHash } from 'node:crypto'
import { BackupError, throwIfAborted } from '@stowage/backup-core'
import type { StoreOptions } from '@stowage/backup-core'
import type { RangeAnswer } from './get-range.js'
import { damaged, getRange } from './get-range.js'
import type { SwiftTransport } from './swift-transport.js'

/** Each piece is read whole before it is handed on, so that a slow consumer never holds a socket. */
const pieceBytes = 16 * 1024 * 1024

/**
 * An object in pieces, the next one read ahead while the caller works on this one: two pieces are in memory at most.
 * All pieces come from the object that the first one came from, and at the end the MD5 of all of them is checked.
 *
 * @throws `OBJECT_MISSING`, `OBJECT_CORRUPT`
 */
export async function* streamObject(
  transport: SwiftTransport,
  container: string,
  objectName: string,
  { signal }: StoreOptions = {},
): AsyncGenerator<Uint8Array> {
  const what = `Reading object ${objectName} from container ${container}`
  const ahead = new AbortController()
  const both = signal ? AbortSignal.any([signal, ahead.signal]) : ahead.signal
  const read = (offsetBytes: number, ifMatch?: string): Promise<RangeAnswer> =>
    getRange(
      transport,
      container,
      objectName,
      { offsetBytes, lengthBytes: pieceBytes },
      { signal: both, ...(ifMatch === undefined ? {} : { ifMatch }) },
    )

  const hash = createHash('md5')
  let next: Promise<RangeAnswer> | undefined
  try {
    const first = await read(0)
    const { totalBytes, etag, md5 } = first
    let piece = first
    for (let offset = 0; offset < totalBytes;) {
      if (piece.totalBytes !== totalBytes) throw changed(what, { container, objectName })
      offset += piece.bytes.byteLength
      next = offset < totalBytes ? read(offset, etag) : undefined
      // Its failure is thrown where it is awaited, and not as one that nobody handles.
      next?.catch(() => undefined)
      hash.update(piece.bytes)
      yield piece.bytes
      throwIfAborted(signal, what)
      if (next) piece = await next
      next = undefined
    }
    if (md5 !== undefined && totalBytes > 0 && hash.digest('hex') !== md5)
      throw damaged(what, { container, objectName })
  } finally {
    ahead.abort()
    await next?.catch(() => undefined)
  }
}

function changed(what: string, details: object): BackupError {
  return new BackupError('OBJECT_CORRUPT', `${what} failed: it was replaced while it was read.`, details)
}
