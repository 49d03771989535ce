import type { BackupErrorCode } from '@stowage/backup-core'
import type { RetryAdvice } from './network-failures.js'

/** What an HTTP status means where the request's own verb has no better word for it. */
export interface StatusMeaning {
  readonly code: BackupErrorCode
  readonly retry: RetryAdvice
  /** How often another attempt may help. @default as often as the policy allows */
  readonly mostRetries?: number
  /** What to do next. */
  readonly advice: string
}

const unavailable: StatusMeaning = {
  code: 'STORE_UNAVAILABLE',
  retry: 'after-backoff',
  advice: 'Look at the cluster’s health, and try again later.',
}
const limited: StatusMeaning = {
  code: 'RATE_LIMITED',
  retry: 'after-backoff',
  advice: 'Lower the concurrency, or try again later.',
}

const meanings: Readonly<Record<number, StatusMeaning>> = {
  401: { code: 'AUTH_FAILED', retry: 'never', advice: 'Check the credentials.' },
  403: {
    code: 'FORBIDDEN',
    retry: 'never',
    advice: 'Check that the user has a role in this project, and that the endpoint is that of this project.',
  },
  408: unavailable,
  409: {
    code: 'CONFLICT',
    retry: 'never',
    advice: 'Something else changed the same thing; look and try again.',
  },
  412: {
    code: 'CONFLICT',
    retry: 'never',
    advice: 'Something else changed the same thing; look and try again.',
  },
  413: { code: 'QUOTA_EXCEEDED', retry: 'never', advice: 'Raise the quota, or remove old backups.' },
  // What changes on the way by chance does not do so three times in a row.
  422: {
    code: 'OBJECT_CORRUPT',
    retry: 'after-backoff',
    mostRetries: 2,
    advice: 'The bytes changed on the way: look for a proxy or a network card that alters them.',
  },
  429: limited,
  // Swift's own "Slow down" and "client disconnected".
  498: limited,
  499: unavailable,
  500: unavailable,
  502: unavailable,
  503: unavailable,
  504: unavailable,
  // A disk that is full stays full for longer than any retry.
  507: {
    code: 'NO_SPACE',
    retry: 'never',
    advice: 'The cluster has no room; its operator has to make some.',
  },
}

/** The meaning of a status that the request did not ask for. */
export function statusMeaning(status: number): StatusMeaning {
  const known = meanings[status]
  if (known) return known
  if (status >= 300 && status < 400) {
    return {
      code: 'STORE_FAILED',
      retry: 'never',
      advice:
        'Redirects are not followed, since they could carry the token elsewhere: set the endpoint’s final URL.',
    }
  }
  return { code: 'STORE_FAILED', retry: 'never', advice: 'The server’s log says more.' }
}

/** The time a server asks to be left alone for, in milliseconds; undefined when it says none. */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs)
}
