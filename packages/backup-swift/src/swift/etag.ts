import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { throwIfAborted } from '@stowage/backup-core'
import type { ReplayableBody } from '@stowage/backup-core'
import { piecesOf } from '../http/request-body.js'
import type { ResponseHead } from '../http/response.js'
import { headerOf } from '../http/response.js'

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
