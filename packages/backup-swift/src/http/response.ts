import { BackupError } from '@stowage/backup-core'

/** The head of an answer. */
export interface ResponseHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/**
 * One header of an answer. A header that came twice is refused: of two ETags or lengths, neither can be believed.
 */
export function headerOf(head: ResponseHead, name: string): string | undefined {
  const value = head.headers[name]
  if (Array.isArray(value)) {
    throw new BackupError(
      'STORE_FAILED',
      `The server gave the header ${name} ${value.length} times, so that none of them can be trusted. ` +
        'Look for a proxy that adds headers on the way.',
    )
  }
  return value
}

/** The request's name on the server: what an operator searches the logs for. */
export function requestIdOf(head: ResponseHead): string | undefined {
  for (const name of ['x-trans-id', 'x-openstack-request-id']) {
    const value = head.headers[name]
    if (typeof value === 'string') return value.slice(0, 100)
  }
  return undefined
}

/** The length that an answer says its body has; undefined where it says none. */
export function contentLengthOf(head: ResponseHead): number | undefined {
  const text = headerOf(head, 'content-length')
  if (text === undefined) return undefined
  const length = /^\d{1,16}$/.test(text) ? Number(text) : NaN
  return Number.isSafeInteger(length) ? length : undefined
}
