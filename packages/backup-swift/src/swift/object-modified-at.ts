import type { StoreOptions } from '@stowage/backup-core'
import { discard } from '../http/body-sinks.js'
import { headerOf } from '../http/response.js'
import { objectPath } from './names.js'
import type { SwiftTransport } from './swift-transport.js'

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
