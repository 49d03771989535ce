import { BackupError, throwIfAborted, type StoreOptions } from '@stowage/backup-core'
import { AttemptFailure } from '../http/retry.js'
import { collect, fill, type BodySink, type FilledBody } from '../http/bodies.js'
import { contentLengthOf, headerOf, type ResponseHead } from '../http/exchange.js'
import { md5Of } from './object-state.js'
import { memoryFor, missing } from './get-object.js'
import { objectPath } from './names.js'
import type { SwiftTransport } from './transport.js'
import { createHash } from 'node:crypto'

/** A part of an object. */
export interface ObjectRange {
  readonly offsetBytes: number
  readonly lengthBytes: number
}

/** Options of {@link getRange}. */
export interface RangeOptions extends StoreOptions {
  /** The caller verifies the bytes: no MD5 is computed. */
  readonly checkedByCaller?: boolean
  readonly buffer?: Uint8Array
  /** Reads only from the object with this ETag, in the server's spelling. */
  readonly ifMatch?: string
}

/** A part of an object, and properties of the whole. */
export interface RangeAnswer {
  readonly bytes: Uint8Array
  /** The length of the whole object. */
  readonly totalBytes: number
  /** In the server's spelling, for `ifMatch`. */
  readonly etag: string | undefined
  /** The MD5 of the whole object, where the ETag is one. */
  readonly md5: string | undefined
}

/**
 * Reads a part of an object; fewer bytes only at its end. Rejects any other part: Swift returns the whole object for a range
 * that it does not understand.
 *
 * @throws `OBJECT_MISSING`, `OBJECT_CORRUPT` if the object is no longer that of `ifMatch`
 */
export async function getRange(
  transport: SwiftTransport,
  container: string,
  objectName: string,
  range: ObjectRange,
  options: RangeOptions = {},
): Promise<RangeAnswer> {
  const { offsetBytes, lengthBytes } = range
  const what = `Reading ${lengthBytes} bytes at ${offsetBytes} of object ${objectName} from container ${container}`
  const details = { container, objectName }
  let missed = 0
  let corrupt = 0
  let answer: Omit<RangeAnswer, 'bytes'> = { totalBytes: 0, etag: undefined, md5: undefined }

  const open = (head: ResponseHead): BodySink<FilledBody> => {
    const etag = headerOf(head, 'etag')
    if (head.status === 416) {
      // Past the end, which is the response for any range of an empty object too.
      answer = { totalBytes: totalOf(head) ?? 0, etag, md5: md5Of(head) }
      return ended(collect(8192, true))
    }
    const served = head.status === 206 ? servedRange(head) : undefined
    if (!served) throw unexpected(head, what, details)
    const { first, last, total } = served
    const wanted = Math.min(lengthBytes, total - offsetBytes)
    const length = contentLengthOf(head)
    if (first !== offsetBytes || last - first + 1 !== wanted || (length !== undefined && length !== wanted)) {
      throw unexpected(head, what, details)
    }
    answer = { totalBytes: total, etag, md5: md5Of(head) }
    const { md5 } = answer
    const checkable = md5 !== undefined && wanted === total && options.checkedByCaller !== true
    const memory = memoryFor(wanted, options.buffer)
    const sink = whole(fill(memory, { md5: checkable }), wanted, what, details)
    if (!checkable) return sink
    // The part is the whole object: its MD5 can be verified.
    return {
      push: sink.push,
      end: () => {
        const filled = sink.end()
        if (filled.md5 === md5) return filled
        corrupt += 1
        throw new AttemptFailure(damaged(what, details), corrupt > 1 ? 'never' : 'immediately')
      },
    }
  }

  const { value } = await transport.send(
    () => ({
      method: 'GET',
      path: objectPath(container, objectName),
      headers: {
        range: `bytes=${offsetBytes}-${offsetBytes + lengthBytes - 1}`,
        ...(missed > 0 ? { 'x-newest': 'true' } : {}),
        ...(options.ifMatch === undefined ? {} : { 'if-match': options.ifMatch }),
      },
      what,
      details,
      accept: [206, 200, 416],
      sink: open,
      refusal: (status) => {
        if (status === 412) {
          return {
            code: 'OBJECT_CORRUPT',
            message: `${what} failed: the object was replaced while it was read.`,
          }
        }
        if (status !== 404) return undefined
        missed += 1
        return missing(what, missed > 1 ? 'never' : 'confirm')
      },
    }),
    options.signal,
  )
  return { ...answer, bytes: value.bytes }
}

function servedRange(head: ResponseHead): { first: number; last: number; total: number } | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(headerOf(head, 'content-range') ?? '')
  if (!match) return undefined
  return { first: Number(match[1]), last: Number(match[2]), total: Number(match[3]) }
}

function totalOf(head: ResponseHead): number | undefined {
  const match = /^bytes \*\/(\d{1,16})$/.exec(headerOf(head, 'content-range') ?? '')
  return match ? Number(match[1]) : undefined
}

function ended(sink: BodySink<Buffer>): BodySink<FilledBody> {
  return {
    push: sink.push,
    end: () => ({ bytes: new Uint8Array(0), md5: null }),
  }
}

function whole(
  sink: BodySink<FilledBody>,
  lengthBytes: number,
  what: string,
  details: object,
): BodySink<FilledBody> {
  return {
    push: sink.push,
    end: () => {
      const filled = sink.end()
      if (filled.bytes.byteLength === lengthBytes) return filled
      throw new AttemptFailure(
        new BackupError('OBJECT_CORRUPT', `${what} failed: the response is shorter than its range.`, details),
        'after-backoff',
      )
    },
  }
}

/** The bytes are not those that were stored. */
export function damaged(what: string, details: object): BackupError {
  return new BackupError(
    'OBJECT_CORRUPT',
    `${what} failed: the MD5 of the response is not that of the stored object.`,
    details,
  )
}

function unexpected(head: ResponseHead, what: string, details: object): AttemptFailure {
  const given = String(head.headers['content-range'] ?? 'missing')
  // Any other text may contain a secret.
  const contentRange = /^(?:missing|bytes [\d*/-]{1,60})$/.test(given) ? given : 'malformed'
  return new AttemptFailure(
    new BackupError(
      'STORE_FAILED',
      `${what} failed: the server returned a different range than requested (status ${head.status}, ` +
        `Content-Range ${contentRange}).`,
      { ...details, status: head.status },
    ),
    'after-backoff',
  )
}

/** Each piece is read completely before it is yielded, so a slow consumer holds no socket. */
const pieceBytes = 16 * 1024 * 1024

/**
 * Reads an object in pieces, and prefetches the next one: at most two pieces are in memory. All pieces come from the same
 * version of the object, and its MD5 is verified at the end.
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
      // Its rejection is handled where it is awaited, not as an unhandled one.
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
