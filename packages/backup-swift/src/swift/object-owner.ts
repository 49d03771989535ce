import { BackupError } from '@stowage/backup-core'
import { discard } from '../http/body-sinks.js'
import { headerOf } from '../http/response.js'
import { objectPath } from './names.js'
import type { SwiftTransport } from './swift-transport.js'

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
