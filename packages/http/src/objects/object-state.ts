import {
  BackupError,
  throwIfAborted,
  type ObjectInfo,
  type ReplayableBody,
  type StoreOptions,
} from '@stowage/backup-core'
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { discard, piecesOf } from '../bodies.js'
import { contentLengthOf, headerOf, type ResponseHead } from '../exchange.js'
import type { RetryPolicy } from '../retry.js'
import type { ObjectAddress, ObjectCall, ObjectServer } from './object-server.js'

/** How the headers of an object are requested. */
export interface HeadOptions extends StoreOptions {
  /** Asks for the newest replica. @default true */
  readonly newest?: boolean
  /** Makes one attempt, and rejects with an `AttemptFailure`. @default false */
  readonly once?: boolean
  readonly policy?: Partial<RetryPolicy> | undefined
}

/** Returns the headers of an object; undefined if it does not exist. `what` begins an error message. */
export async function headObject(
  server: ObjectServer,
  { container, objectName }: ObjectAddress,
  what: string,
  { newest = true, once = false, policy, signal }: HeadOptions = {},
): Promise<ResponseHead | undefined> {
  const call: ObjectCall<undefined> = {
    method: 'HEAD',
    object: { container, objectName },
    headers: newest ? { ...server.newestHeaders } : {},
    what: `${what} object ${objectName} in container ${container}`,
    details: { container, objectName },
    accept: [200, 204, 404],
    sink: discard,
  }
  const attempt = async (): Promise<ResponseHead> => (await server.sendOnce(call, signal)).head
  const head = await (once ? attempt() : server.retrying(call.what, attempt, signal, policy))
  return head.status === 404 ? undefined : head
}

/** Returns whether an object exists. Where replicas may differ, all are queried before it is missing. */
export async function objectExists(
  server: ObjectServer,
  object: ObjectAddress,
  options: HeadOptions = {},
): Promise<boolean> {
  const head = async (newest: boolean): Promise<ResponseHead | undefined> =>
    headObject(server, object, 'Checking', { ...options, newest })
  const found = await head(false)
  return Boolean(found ?? (server.newestHeaders ? await head(true) : undefined))
}

/** Returns when an object was stored, by its Last-Modified, in whole seconds; undefined if it does not exist. */
export async function objectModifiedAt(
  server: ObjectServer,
  object: ObjectAddress,
  options: StoreOptions = {},
): Promise<Date | undefined> {
  const head = await headObject(server, object, 'Getting the time of', options)
  return head && lastModifiedOf(head)
}

/** Returns the Last-Modified of a response; undefined without a valid one. */
export function lastModifiedOf(head: ResponseHead): Date | undefined {
  const lastModified = Date.parse(headerOf(head, 'last-modified') ?? '')
  return Number.isFinite(lastModified) ? new Date(lastModified) : undefined
}

/** Returns the length and the MD5 of an object, as far as the server reports them; undefined if it does not exist. */
export async function objectInfo(
  server: ObjectServer,
  object: ObjectAddress,
  options: StoreOptions = {},
): Promise<ObjectInfo | undefined> {
  const head = await headObject(server, object, 'Getting the length of', options)
  const lengthBytes = head && contentLengthOf(head)
  if (!head || lengthBytes === undefined) return undefined
  const md5 = server.md5Of(head)
  return { lengthBytes, ...(md5 === undefined ? {} : { md5 }) }
}

/** Returns which writer stored an object: `ours`, another, or none if it does not exist. */
export async function ownerOf(
  server: ObjectServer,
  object: ObjectAddress,
  writerId: string,
  options: HeadOptions = {},
): Promise<'ours' | 'other' | 'none'> {
  const head = await headObject(server, object, 'Checking the writer of', options)
  if (!head) return 'none'
  return headerOf(head, server.writerHeader) === writerId ? 'ours' : 'other'
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
