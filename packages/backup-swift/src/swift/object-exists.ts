import type { StoreOptions } from '@stowage/backup-core'
import { discard } from '../http/body-sinks.js'
import type { RetryPolicy } from '../http/retry.js'
import { objectPath } from './names.js'
import type { SwiftTransport } from './swift-transport.js'

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
