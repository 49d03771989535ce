import { BackupError, type ReadOptions } from '@stowage/backup-core'
import { AttemptFailure } from '../http/retry.js'
import { fill, type BodySink, type FilledBody } from '../http/bodies.js'
import type { RetryAdvice } from '../http/failures.js'
import { contentLengthOf, requestIdOf, type ResponseHead } from '../http/exchange.js'
import { md5Of } from './object-state.js'
import { objectPath } from './names.js'
import type { SwiftTransport } from './transport.js'

/** Returns the caller's buffer if it is large enough, else a new one. */
export function memoryFor(lengthBytes: number, buffer: Uint8Array | undefined): Uint8Array {
  if (buffer && buffer.byteLength >= lengthBytes) return buffer.subarray(0, lengthBytes)
  // Not from the pool of Node.js: the caller may transfer it to a worker.
  return Buffer.allocUnsafeSlow(lengthBytes)
}

/**
 * Reads a whole object, and verifies its length and its MD5; the latter not if the caller verifies an MD5 of its own, since it
 * takes a fifth of the time of a large object.
 *
 * @throws `OBJECT_MISSING`, `OBJECT_TOO_LARGE`, `OBJECT_CORRUPT` if two reads in a row returned other bytes than
 * were stored
 */
export async function getObject(
  transport: SwiftTransport,
  container: string,
  objectName: string,
  options: ReadOptions = {},
): Promise<Uint8Array> {
  const path = objectPath(container, objectName)
  const what = `Reading object ${objectName} from container ${container}`
  const details = { container, objectName }
  const attempts = { corrupt: 0, missing: 0 }

  const open = (head: ResponseHead): BodySink<FilledBody> => {
    const length = lengthOf(head, what, details)
    const { maxBytes } = options
    if (maxBytes !== undefined && length > maxBytes) {
      throw new BackupError(
        'OBJECT_TOO_LARGE',
        `${what} failed: it has ${length} bytes, which exceeds the limit of ${maxBytes}.`,
        details,
      )
    }
    const expected = options.checkedByCaller === true ? undefined : md5Of(head)
    const { buffer, onProgress } = options
    const sink = fill(memoryFor(length, buffer), { md5: expected !== undefined, onProgress })
    return {
      push: sink.push,
      end: () => {
        const filled = sink.end()
        if (filled.bytes.byteLength === length && (expected === undefined || expected === filled.md5))
          return filled
        attempts.corrupt += 1
        // One replica may be damaged: another one may answer the next read.
        const retry: RetryAdvice = attempts.corrupt > 1 ? 'never' : 'immediately'
        throw new AttemptFailure(corrupt(head, what, details), retry)
      },
    }
  }

  const { value } = await transport.send(
    () => ({
      method: 'GET',
      path,
      // A replica may lag behind the others: a 404 counts after all were queried.
      headers: attempts.missing > 0 ? { 'x-newest': 'true' } : {},
      what,
      details,
      accept: [200],
      sink: open,
      refusal: (status) => {
        if (status !== 404) return undefined
        attempts.missing += 1
        if (attempts.corrupt > 0) {
          // Swift quarantines an object when it detects damage.
          return { code: 'OBJECT_CORRUPT', message: `${what} failed: it was damaged, and no longer exists.` }
        }
        return missing(what, attempts.missing > 1 ? 'never' : 'confirm')
      },
    }),
    options.signal,
  )
  return value.bytes
}

/** Returns the Content-Length of a response: without it a truncated body could not be detected. */
export function lengthOf(head: ResponseHead, what: string, details: object): number {
  const length = contentLengthOf(head)
  if (length !== undefined) return length
  throw new AttemptFailure(
    new BackupError(
      'STORE_FAILED',
      `${what} failed: the response has no valid Content-Length. Check proxies before the server.`,
      details,
    ),
    'after-backoff',
  )
}

/** The object does not exist. */
export function missing(
  what: string,
  retry: RetryAdvice,
): { code: 'OBJECT_MISSING'; message: string; retry: RetryAdvice } {
  return { code: 'OBJECT_MISSING', message: `${what} failed: the object does not exist.`, retry }
}

function corrupt(head: ResponseHead, what: string, details: object): BackupError {
  const requestId = requestIdOf(head)
  return new BackupError(
    'OBJECT_CORRUPT',
    `${what} failed: the length or MD5 of the response is not that of the stored object.`,
    { ...details, ...(requestId === undefined ? {} : { requestId }) },
  )
}
