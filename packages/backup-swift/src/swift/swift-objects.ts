import type { StoreOptions } from '@stowage/backup-core'
import {
  bareEtag,
  headerOf,
  headObject,
  lastModifiedOf,
  type ObjectAddress,
  type ObjectServer,
  type Refusal,
  type ResponseHead,
} from '@stowage/http'
import { objectPath } from './names.js'
import type { SwiftTransport } from './transport.js'

/** The header that names the writer of an object. Swift stores it with the object, and Cinder does not read it. */
export const writerHeader = 'x-object-meta-stowage-writer'

/** How Swift serves objects: an ETag is an MD5, and replicas may differ. */
export function swiftObjects(transport: SwiftTransport): ObjectServer {
  return {
    sendOnce: ({ object, ...call }, signal) =>
      transport.sendOnce({ ...call, path: objectPath(object.container, object.objectName) }, signal),
    retrying: (operation, attempt, signal, policy) => transport.retrying(operation, attempt, signal, policy),
    md5Of,
    putHeaders: ({ md5, mustBeNew }) => ({
      ...(md5 === undefined ? {} : { etag: md5 }),
      ...(mustBeNew ? { 'if-none-match': '*' } : {}),
    }),
    putStatuses: [201, 202],
    putRefusal,
    writerHeader,
    newestHeaders: { 'x-newest': 'true' },
  }
}

/**
 * Returns the MD5 of an object by its ETag; undefined if the ETag is not one: that of a segmented large object is computed from
 * the ETags of its segments.
 */
function md5Of(head: ResponseHead): string | undefined {
  const isSegmented = ['x-static-large-object', 'x-object-manifest'].some(
    (name) => head.headers[name] !== undefined,
  )
  const etag = bareEtag(headerOf(head, 'etag') ?? '')
  return !isSegmented && /^[0-9a-f]{32}$/.test(etag) ? etag : undefined
}

function putRefusal(status: number, text: string, what: string): Refusal | undefined {
  if (status === 404) {
    return {
      code: 'CONTAINER_MISSING',
      message: `${what} failed: the container does not exist any more. Check which program deleted it, and repeat the backup.`,
    }
  }
  if (status === 413 && !/quota/i.test(text)) {
    return {
      code: 'OBJECT_TOO_LARGE',
      message: `${what} failed: it exceeds the size limit of the cluster. Set a smaller chunkSizeBytes.`,
    }
  }
  return undefined
}

/**
 * Returns when an object was stored; undefined if it does not exist, or if Swift does not report the time. `X-Timestamp`
 * has a resolution of 10 µs; `Last-Modified` is rounded up to a second.
 */
export async function objectModifiedAt(
  server: ObjectServer,
  object: ObjectAddress,
  options: StoreOptions = {},
): Promise<Date | undefined> {
  const head = await headObject(server, object, 'Getting the time of', options)
  if (!head) return undefined
  const timestamp = Number(headerOf(head, 'x-timestamp'))
  return Number.isFinite(timestamp) && timestamp > 0 ? new Date(timestamp * 1000) : lastModifiedOf(head)
}
