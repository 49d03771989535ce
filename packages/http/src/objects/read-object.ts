import { createHash } from 'node:crypto'
import { BackupError, throwIfAborted, type ReadOptions, type StoreOptions } from '@stowage/backup-core'
import { discard, fill, type BodySink, type FilledBody } from '../bodies.js'
import type { Refusal } from '../client.js'
import { contentLengthOf, headerOf, requestIdOf, type ResponseHead } from '../exchange.js'
import { AttemptFailure } from '../retry.js'
import { withoutUndefined } from '../without-undefined.js'
import type { ObjectAddress, ObjectCall, ObjectServer } from './object-server.js'

/** A GET of an object or a part of it. */
interface ReadCall {
  readonly object: ObjectAddress
  readonly what: string
  readonly headers: Readonly<Record<string, string>>
  readonly accept: readonly number[]
  /** Returns the length of the body and, to verify it, its MD5. An error that it throws ends the request. */
  readonly expect: (head: ResponseHead) => { readonly lengthBytes: number; readonly md5?: string | undefined }
  readonly refusal?: (status: number) => Refusal | undefined
}

/**
 * Reads a body into memory, and verifies it. Reads it once more if it is damaged, since another replica may answer; also if the
 * object is missing, from the newest replica, since a replica may lag behind the others.
 */
async function readVerified(
  server: ObjectServer,
  { object, what, headers, accept, expect, refusal }: ReadCall,
  { buffer, onProgress, signal }: Pick<ReadOptions, 'buffer' | 'onProgress' | 'signal'>,
): Promise<Uint8Array> {
  let damaged = 0
  let missing = 0
  const sink = (head: ResponseHead): BodySink<FilledBody> => {
    const { lengthBytes, md5 } = expect(head)
    if (head.status === 416)
      return { push: discard().push, end: () => ({ bytes: new Uint8Array(0), md5: null }) }
    const filling = fill(memoryFor(lengthBytes, buffer), { md5: md5 !== undefined, onProgress })
    return {
      push: filling.push,
      end: () => {
        const filled = filling.end()
        if (filled.bytes.byteLength === lengthBytes && (md5 === undefined || md5 === filled.md5))
          return filled
        damaged += 1
        const details = { ...object, ...withoutUndefined({ requestId: requestIdOf(head) }) }
        throw new AttemptFailure(corrupt(what, details), damaged > 1 ? 'never' : 'immediately')
      },
    }
  }
  const attempt = async (): Promise<FilledBody> => {
    const call: ObjectCall<FilledBody> = {
      method: 'GET',
      object,
      headers: { ...headers, ...(missing > 0 ? server.newestHeaders : {}) },
      what,
      details: object,
      accept,
      sink,
      refusal: (status) => {
        if (status !== 404) return refusal?.(status)
        missing += 1
        // Swift quarantines an object when it detects damage.
        if (damaged > 0) {
          return { code: 'OBJECT_CORRUPT', message: `${what} failed: it was damaged, and no longer exists.` }
        }
        const message = `${what} failed: the object does not exist.`
        const isConfirmed = missing > 1 || !server.newestHeaders
        return { code: 'OBJECT_MISSING', message, retry: isConfirmed ? 'never' : 'confirm' }
      },
    }
    return (await server.sendOnce(call, signal)).value
  }
  const value = await server.retrying(what, attempt, signal)
  return value.bytes
}

/** Returns the caller's buffer if it is large enough, else a new one. */
function memoryFor(lengthBytes: number, buffer: Uint8Array | undefined): Uint8Array {
  if (buffer && buffer.byteLength >= lengthBytes) return buffer.subarray(0, lengthBytes)
  // Not from the pool of Node.js: the caller may transfer it to a worker.
  return Buffer.allocUnsafeSlow(lengthBytes)
}

function corrupt(
  what: string,
  details: object,
  why = 'the length or MD5 of the response is not that of the stored object',
): BackupError {
  return new BackupError('OBJECT_CORRUPT', `${what} failed: ${why}.`, details)
}

/**
 * Reads a whole object, and verifies its length and its MD5; the latter not if the caller verifies an MD5 of its own, since it
 * takes a fifth of the time of a large object.
 *
 * @throws `OBJECT_MISSING`, `OBJECT_TOO_LARGE`, `OBJECT_CORRUPT` if two reads in a row returned other bytes than were stored
 */
export function getObject(
  server: ObjectServer,
  object: ObjectAddress,
  options: ReadOptions = {},
): Promise<Uint8Array> {
  const { container, objectName } = object
  const what = `Reading object ${objectName} from container ${container}`
  const { maxBytes = Infinity, checkedByCaller = false } = options
  const expect: ReadCall['expect'] = (head) => {
    const lengthBytes = contentLengthOf(head)
    // Without it a truncated body could not be detected.
    if (lengthBytes === undefined) {
      const message = `${what} failed: the response has no valid Content-Length. Check proxies before the server.`
      throw new AttemptFailure(new BackupError('STORE_FAILED', message, object), 'after-backoff')
    }
    if (lengthBytes > maxBytes) {
      const message = `${what} failed: it has ${lengthBytes} bytes, which exceeds the limit of ${maxBytes}.`
      throw new BackupError('OBJECT_TOO_LARGE', message, object)
    }
    return { lengthBytes, md5: checkedByCaller ? undefined : server.md5Of(head) }
  }
  return readVerified(server, { object, what, headers: {}, accept: [200], expect }, options)
}

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
  readonly ifMatch?: string | undefined
}

/** A part of an object, and properties of the whole. */
export interface RangeAnswer {
  readonly bytes: Uint8Array
  /** The length of the whole object. */
  readonly totalBytes: number
  /** In the server's spelling, for `ifMatch`. */
  readonly etag: string | undefined
  /** The MD5 of the whole object, if the ETag is one. */
  readonly md5: string | undefined
}

/**
 * Reads a part of an object; fewer bytes only at its end. Rejects any other part: a server may return the whole object for a
 * range that it does not understand.
 *
 * @throws `OBJECT_MISSING`, `OBJECT_CORRUPT` if the object is no longer that of `ifMatch`
 */
export async function getRange(
  server: ObjectServer,
  object: ObjectAddress,
  { offsetBytes, lengthBytes }: ObjectRange,
  { checkedByCaller = false, ifMatch, ...options }: RangeOptions = {},
): Promise<RangeAnswer> {
  const { container, objectName } = object
  const what = `Reading ${lengthBytes} bytes at ${offsetBytes} of object ${objectName} from container ${container}`
  let whole: Omit<RangeAnswer, 'bytes'> = { totalBytes: 0, etag: undefined, md5: undefined }
  const expect: ReadCall['expect'] = (head) => {
    const [first, last, totalBytes] = contentRangeOf(head)
    const md5 = server.md5Of(head)
    whole = { totalBytes: totalBytes ?? 0, etag: headerOf(head, 'etag'), md5 }
    // Past the end, which is the response for any range of an empty object too.
    if (head.status === 416) return { lengthBytes: 0 }
    const wanted = Math.min(lengthBytes, (totalBytes ?? 0) - offsetBytes)
    const isRequested = first === offsetBytes && last === offsetBytes + wanted - 1
    if (head.status !== 206 || !isRequested || (contentLengthOf(head) ?? wanted) !== wanted) {
      throw unexpected(head, what, object)
    }
    // The part may be the whole object: its MD5 can be verified.
    return { lengthBytes: wanted, md5: wanted === totalBytes && !checkedByCaller ? md5 : undefined }
  }
  const headers = {
    range: `bytes=${offsetBytes}-${offsetBytes + lengthBytes - 1}`,
    ...withoutUndefined({ 'if-match': ifMatch }),
  }
  const refusal = (status: number): Refusal | undefined =>
    status === 412
      ? { code: 'OBJECT_CORRUPT', message: `${what} failed: the object was replaced while it was read.` }
      : undefined
  const { signal, buffer } = options
  const read = { object, what, headers, accept: [206, 200, 416], expect, refusal }
  const bytes = await readVerified(server, read, withoutUndefined({ signal, buffer }))
  return { ...whole, bytes }
}

// Parses `bytes 0-9/100` or `bytes */100`: the first byte, the last one and the length of the whole object.
function contentRangeOf(head: ResponseHead): (number | undefined)[] {
  const match = /^bytes (?:(\d{1,16})-(\d{1,16})|\*)\/(\d{1,16})$/.exec(headerOf(head, 'content-range') ?? '')
  return [1, 2, 3].map((group) => (match?.[group] === undefined ? undefined : Number(match[group])))
}

function unexpected(head: ResponseHead, what: string, object: ObjectAddress): AttemptFailure {
  const text = String(head.headers['content-range'] ?? 'missing')
  // Any other text may contain a secret.
  const contentRange = /^(?:missing|bytes [\d*/-]{1,60})$/.test(text) ? text : 'malformed'
  const message =
    `${what} failed: the server returned a different range than requested (status ${head.status}, Content-Range ` +
    `${contentRange}).`
  const error = new BackupError('STORE_FAILED', message, { ...object, status: head.status })
  return new AttemptFailure(error, 'after-backoff')
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
  server: ObjectServer,
  object: ObjectAddress,
  { signal }: StoreOptions = {},
): AsyncGenerator<Uint8Array> {
  const { container, objectName } = object
  const what = `Reading object ${objectName} from container ${container}`
  const ahead = new AbortController()
  const both = signal ? AbortSignal.any([signal, ahead.signal]) : ahead.signal
  const read = (offsetBytes: number, ifMatch?: string): Promise<RangeAnswer> => {
    const range = { offsetBytes, lengthBytes: pieceBytes }
    return getRange(server, object, range, { signal: both, ifMatch })
  }

  const hash = createHash('md5')
  let next: Promise<RangeAnswer> | undefined
  try {
    const first = await read(0)
    const { totalBytes, etag, md5 } = first
    let piece = first
    for (let offset = 0; offset < totalBytes;) {
      if (piece.totalBytes !== totalBytes)
        throw corrupt(what, object, 'the object was replaced while it was read')
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
    if (md5 !== undefined && totalBytes > 0 && hash.digest('hex') !== md5) throw corrupt(what, object)
  } finally {
    ahead.abort()
    await next?.catch(() => undefined)
  }
}
