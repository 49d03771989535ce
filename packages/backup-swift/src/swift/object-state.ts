import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { BackupError, throwIfAborted, type ReplayableBody, type StoreOptions } from '@stowage/backup-core'
import { discard, piecesOf } from '../http/bodies.js'
import { headerOf, type ResponseHead } from '../http/exchange.js'
import type { RetryPolicy } from '../http/retry.js'
import { objectPath } from './names.js'
import type { SwiftTransport } from './transport.js'

/** An ETag without quotes and weakness, in lower case. */
export function bareEtag(etag: string): string {
  return etag
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1')
    .toLowerCase()
}

/**
 * The MD5 that an answer says its object has; undefined where the ETag is none: that of a large object in segments
 * is made of the segments' ETags.
 */
export function md5Of(head: ResponseHead): string | undefined {
  const etag = headerOf(head, 'etag')
  if (etag === undefined) return undefined
  if (
    head.headers['x-static-large-object'] !== undefined ||
    head.headers['x-object-manifest'] !== undefined
  ) {
    return undefined
  }
  const bare = bareEtag(etag)
  return /^[0-9a-f]{32}$/.test(bare) ? bare : undefined
}

/** The MD5 of a body, without holding the main thread for longer than one piece takes. */
export async function hashBody(body: ReplayableBody, signal?: AbortSignal): Promise<string> {
  const hash = createHash('md5')
  for await (const piece of piecesOf(body)) {
    throwIfAborted(signal, 'Hashing an object')
    hash.update(piece)
    await setImmediate()
  }
  return hash.digest('hex')
}

/** Whether an object is there. A replica that does not have it is not the last word. */
export async function objectExists(
  transport: SwiftTransport,
  container: string,
  objectName: string,
  { signal }: StoreOptions = {},
  policy?: Partial<RetryPolicy>,
): Promise<boolean> {
  for (const newest of [false, true]) {
    const { head } = await transport.send(
      {
        method: 'HEAD',
        path: objectPath(container, objectName),
        headers: newest ? { 'x-newest': 'true' } : {},
        what: `Looking for object ${objectName} in container ${container}`,
        details: { container, objectName },
        accept: (status) => status === 200 || status === 204 || status === 404,
        sink: discard,
      },
      signal,
      policy,
    )
    if (head.status !== 404) return true
  }
  return false
}

/**
 * When an object was stored; undefined where there is none, or where Swift does not say. `X-Timestamp` has the moment to
 * a hundred-thousandth of a second, where `Last-Modified` is rounded up.
 */
export async function objectModifiedAt(
  transport: SwiftTransport,
  container: string,
  objectName: string,
  { signal }: StoreOptions = {},
): Promise<Date | undefined> {
  const { head } = await transport.send(
    {
      method: 'HEAD',
      path: objectPath(container, objectName),
      headers: { 'x-newest': 'true' },
      what: `Asking when object ${objectName} in container ${container} was stored`,
      details: { container, objectName },
      accept: (status) => status === 200 || status === 204 || status === 404,
      sink: discard,
    },
    signal,
  )
  if (head.status === 404) return undefined
  const timestamp = Number(headerOf(head, 'x-timestamp'))
  if (Number.isFinite(timestamp) && timestamp > 0) return new Date(timestamp * 1000)
  const lastModified = Date.parse(headerOf(head, 'last-modified') ?? '')
  return Number.isFinite(lastModified) ? new Date(lastModified) : undefined
}

/**
 * Stored with each object that is created exclusively: which writer stored it. An ETag cannot say: two backups of one
 * volume store the same bytes. Swift keeps it with the object, and Cinder reads no metadata of objects.
 */
export const writerHeader = 'x-object-meta-stowage-writer'

/** Whose object has a name: ours, another writer's, or nobody's, since there is none. */
export type ObjectOwner = 'ours' | 'other' | 'none'

/** Asks every replica, in one attempt, which writer stored the object. Rejects with an `AttemptFailure`. */
export async function ownerOf(
  transport: SwiftTransport,
  { container, objectName }: { readonly container: string; readonly objectName: string },
  writerId: string,
  signal?: AbortSignal,
): Promise<ObjectOwner> {
  const { head } = await transport.sendOnce(
    {
      method: 'HEAD',
      path: objectPath(container, objectName),
      headers: { 'x-newest': 'true' },
      what: `Asking which writer stored object ${objectName} in container ${container}`,
      details: { container, objectName },
      accept: (status) => status === 200 || status === 204 || status === 404,
      sink: discard,
    },
    signal,
  )
  if (head.status === 404) return 'none'
  return headerOf(head, writerHeader) === writerId ? 'ours' : 'other'
}

/** The object that was to be created exists. */
export function conflictAt(
  what: string,
  details: { readonly container: string; readonly objectName: string },
  cause?: Error,
): BackupError {
  return new BackupError(
    'CONFLICT',
    `${what} failed: it exists already, and was left unchanged.`,
    cause === undefined ? details : { ...details, cause },
  )
}
