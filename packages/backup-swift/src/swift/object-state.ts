import {
  BackupError,
  throwIfAborted,
  type ObjectInfo,
  type ReplayableBody,
  type StoreOptions,
} from '@stowage/backup-core'
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { discard, headerOf, piecesOf, type ResponseHead, type RetryPolicy } from '@stowage/http'
import { objectPath } from './names.js'
import type { SwiftTransport } from './transport.js'

/** The name of an object with its container, also for the details of an error. */
export interface ObjectAddress {
  readonly container: string
  readonly objectName: string
}

/** How the headers of an object are requested. */
export interface HeadOptions extends StoreOptions {
  /** Has Swift query all replicas and answer for the newest. @default true */
  readonly newest?: boolean
  /** Makes one attempt, and rejects with an `AttemptFailure`. @default false */
  readonly once?: boolean
  readonly policy?: Partial<RetryPolicy> | undefined
}

/** Returns the headers of an object; undefined if it does not exist. `what` begins an error message. */
export async function headObject(
  transport: SwiftTransport,
  { container, objectName }: ObjectAddress,
  what: string,
  { newest = true, once = false, policy, signal }: HeadOptions = {},
): Promise<ResponseHead | undefined> {
  const request = {
    method: 'HEAD',
    path: objectPath(container, objectName),
    headers: newest ? { 'x-newest': 'true' } : {},
    what: `${what} object ${objectName} in container ${container}`,
    details: { container, objectName },
    accept: [200, 204, 404],
    sink: discard,
  } as const
  const { head } = await (once
    ? transport.sendOnce(request, signal)
    : transport.send(request, signal, policy))
  return head.status === 404 ? undefined : head
}

/** Returns whether an object exists. If one replica does not have it, all are queried. */
export async function objectExists(
  transport: SwiftTransport,
  container: string,
  objectName: string,
  options: HeadOptions = {},
): Promise<boolean> {
  const head = async (newest: boolean): Promise<ResponseHead | undefined> =>
    headObject(transport, { container, objectName }, 'Checking', { ...options, newest })
  return Boolean((await head(false)) ?? (await head(true)))
}

/**
 * Returns when an object was stored; undefined if it does not exist, or if Swift does not report the time. `X-Timestamp`
 * has a resolution of 10 µs; `Last-Modified` is rounded up to a second.
 */
export async function objectModifiedAt(
  transport: SwiftTransport,
  container: string,
  objectName: string,
  options: StoreOptions = {},
): Promise<Date | undefined> {
  const head = await headObject(transport, { container, objectName }, 'Getting the time of', options)
  if (!head) return undefined
  const timestamp = Number(headerOf(head, 'x-timestamp'))
  if (Number.isFinite(timestamp) && timestamp > 0) return new Date(timestamp * 1000)
  const lastModified = Date.parse(headerOf(head, 'last-modified') ?? '')
  return Number.isFinite(lastModified) ? new Date(lastModified) : undefined
}

/** Returns the length and the MD5 of an object; undefined if it does not exist. Queries all replicas. */
export async function objectInfo(
  transport: SwiftTransport,
  container: string,
  objectName: string,
  options: StoreOptions = {},
): Promise<ObjectInfo | undefined> {
  const head = await headObject(transport, { container, objectName }, 'Getting the length of', options)
  const lengthBytes = Number(head && headerOf(head, 'content-length'))
  if (!head || !Number.isSafeInteger(lengthBytes)) return undefined
  const md5 = md5Of(head)
  return { lengthBytes, ...(md5 === undefined ? {} : { md5 }) }
}

/**
 * The header that names the writer of an object that was created exclusively. The ETag does not identify it: two backups of
 * one volume store the same bytes. Swift stores the header with the object, and Cinder does not read it.
 */
export const writerHeader = 'x-object-meta-stowage-writer'

/** Returns which writer stored an object: `ours`, another, or none if it does not exist. Queries all replicas. */
export async function ownerOf(
  transport: SwiftTransport,
  object: ObjectAddress,
  writerId: string,
  options: HeadOptions = {},
): Promise<'ours' | 'other' | 'none'> {
  const head = await headObject(transport, object, 'Checking the writer of', options)
  if (!head) return 'none'
  return headerOf(head, writerHeader) === writerId ? 'ours' : 'other'
}

/** The object to be created exists. */
export function conflictAt(what: string, details: ObjectAddress, cause?: Error): BackupError {
  return new BackupError(
    'CONFLICT',
    `${what} failed: it exists already, and was left unchanged.`,
    cause === undefined ? details : { ...details, cause },
  )
}

/** Returns an ETag without quotes and the weak mark, in lower case. */
export function bareEtag(etag: string): string {
  return etag
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1')
    .toLowerCase()
}

/**
 * Returns the MD5 of an object by its ETag; undefined if the ETag is not one: that of a segmented large object is computed from
 * the ETags of its segments.
 */
export function md5Of(head: ResponseHead): string | undefined {
  const isSegmented = ['x-static-large-object', 'x-object-manifest'].some(
    (name) => head.headers[name] !== undefined,
  )
  const etag = bareEtag(headerOf(head, 'etag') ?? '')
  return !isSegmented && /^[0-9a-f]{32}$/.test(etag) ? etag : undefined
}

/** Returns the MD5 of a body, and yields to the event loop after each piece. */
export async function hashBody(body: ReplayableBody, signal?: AbortSignal): Promise<string> {
  const hash = createHash('md5')
  for await (const piece of piecesOf(body)) {
    throwIfAborted(signal, 'Hashing an object')
    hash.update(piece)
    await setImmediate()
  }
  return hash.digest('hex')
}
