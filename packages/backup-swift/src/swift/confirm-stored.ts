import { BackupError } from '@stowage/backup-core'
import { discard } from '../http/body-sinks.js'
import { headerOf } from '../http/response.js'
import { md5Of } from './etag.js'
import { objectPath } from './names.js'
import { writerHeader } from './object-owner.js'
import type { SwiftTransport } from './swift-transport.js'

/** What was sent. */
export interface SentObject {
  /** Lower-case hex; undefined where the body was not sent whole. */
  readonly md5: string | undefined
  readonly lengthBytes: number
  /** The writer that the object has to be of; undefined where any will do. */
  readonly writerId: string | undefined
}

/**
 * Makes sure that the object that is stored is the one that was sent.
 *
 * @throws `CONFLICT` where it is another one
 */
export async function confirmStored(
  transport: SwiftTransport,
  { container, objectName }: { readonly container: string; readonly objectName: string },
  sent: SentObject,
  signal?: AbortSignal,
): Promise<void> {
  const details = { container, objectName }
  const { head } = await transport.send(
    {
      method: 'HEAD',
      path: objectPath(container, objectName),
      headers: { 'x-newest': 'true' },
      what: `Checking whether object ${objectName} is stored in container ${container}`,
      details,
      accept: (status) => status === 200 || status === 204,
      sink: discard,
    },
    signal,
  )
  const stored = md5Of(head)
  const same =
    stored === undefined ? headerOf(head, 'content-length') === String(sent.lengthBytes) : stored === sent.md5
  const ours = sent.writerId === undefined || headerOf(head, writerHeader) === sent.writerId
  if (same && ours) return
  throw new BackupError(
    'CONFLICT',
    `Storing object ${objectName} in container ${container} failed: another writer stored an object of that name at ` +
      'the same time. Look for a second backup with the same id.',
    details,
  )
}
