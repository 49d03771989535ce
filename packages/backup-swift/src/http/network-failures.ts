import type { BackupErrorCode } from '@stowage/backup-core'
import { SlowServerError } from './exchange-watch.js'
import { quotable } from './mask.js'
import { tlsFailureOf } from './tls-failures.js'

/**
 * How an attempt that failed may be repeated. `confirm`: the attempt was answered, and asking once more, immediately, only
 * makes sure of the answer: that is neither counted nor reported as a retry.
 */
export type RetryAdvice = 'never' | 'after-backoff' | 'at-once' | 'confirm'

/** What a failure of the network means. */
export interface NetworkFailure {
  readonly code: BackupErrorCode
  readonly retry: RetryAdvice
  /** What happened, and for what lasts also what to do. */
  readonly text: string
  /** How often another attempt may help. @default as often as the policy allows */
  readonly mostRetries?: number
}

const unreachedCodes: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENOTFOUND',
])

const byCode: Readonly<Record<string, NetworkFailure>> = {
  ...same(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'], {
    code: 'STORE_UNAVAILABLE',
    // A connection that was kept alive is closed unannounced by many servers: a new one is worth a try at once.
    retry: 'at-once',
    text: 'the connection broke',
  }),
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: {
    code: 'STORE_UNAVAILABLE',
    retry: 'at-once',
    text: 'the answer ended before its end',
  },
  ...same(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'EAI_AGAIN'], {
    code: 'STORE_UNAVAILABLE',
    retry: 'after-backoff',
    text: 'the server cannot be reached',
  }),
  ECONNREFUSED: {
    code: 'STORE_UNAVAILABLE',
    retry: 'after-backoff',
    text: 'nothing listens at that address',
  },
  ENOTFOUND: {
    code: 'STORE_UNAVAILABLE',
    retry: 'never',
    text: 'the host name is not known; look for a typing error in the URL',
  },
  UND_ERR_HEADERS_TIMEOUT: {
    code: 'STORE_UNAVAILABLE',
    retry: 'after-backoff',
    text: 'the server took too long to take the request or to answer',
  },
  UND_ERR_BODY_TIMEOUT: {
    code: 'STORE_UNAVAILABLE',
    retry: 'after-backoff',
    text: 'the server stopped in the middle of its answer',
  },
  UND_ERR_ABORTED: {
    code: 'STORE_UNAVAILABLE',
    retry: 'after-backoff',
    text: 'the proxy made no tunnel to the server; look for its own log',
  },
  UND_ERR_INVALID_ARG: {
    code: 'STORE_FAILED',
    retry: 'never',
    text: 'the request cannot be sent as it is; look for odd characters in tokens, policies and URLs',
  },
  UND_ERR_HEADERS_OVERFLOW: {
    code: 'STORE_FAILED',
    retry: 'never',
    text: 'the head of the answer is too long',
  },
}

/** Another attempt at what may be a fault of the way, and no more: a wrong port answers wrongly each time. */
const mostRetriesOfNonsense = 2

/**
 * What a failure of an exchange means: an error of undici, of a socket or of the resolver. Every one of them has a
 * meaning, also one that is not known.
 */
export function networkFailureOf(error: Error): NetworkFailure {
  if (error instanceof SlowServerError) {
    return { code: 'STORE_UNAVAILABLE', retry: 'after-backoff', text: error.message }
  }
  const code = codeOf(error)
  if (error.name === 'HTTPParserError' || code?.startsWith('HPE_') === true) {
    return {
      code: 'STORE_FAILED',
      retry: 'after-backoff',
      mostRetries: mostRetriesOfNonsense,
      text: `the answer is not HTTP/1.1 (${code ?? quotable(error.message)}); check the port of the URL`,
    }
  }
  const known = code === undefined ? undefined : (tlsFailureOf(error, code) ?? byCode[code])
  if (known) return known
  return {
    code: 'STORE_FAILED',
    retry: 'after-backoff',
    mostRetries: mostRetriesOfNonsense,
    text: `the request failed (${code ?? quotable(error.message)})`,
  }
}

/** Whether the failure is that no connection could be made. */
export function isUnreached(error: Error): boolean {
  return unreachedCodes.has(codeOf(error) ?? '')
}

function codeOf(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string') return error.code
  // Node wraps the failures of several addresses of one host.
  if (error instanceof AggregateError) {
    const first: unknown = error.errors[0]
    if (first instanceof Error) return codeOf(first)
  }
  return undefined
}

function same(codes: readonly string[], failure: NetworkFailure): Record<string, NetworkFailure> {
  return Object.fromEntries(codes.map((code) => [code, failure]))
}
