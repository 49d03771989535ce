import type { BackupErrorCode } from '@stowage/backup-core'
import { SlowServerError } from './exchange-watch.js'
import { quotable } from './mask.js'

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

const certificateCodes =
  /^(?:CERT_|CRL_|ERR_TLS_|ERR_SSL_|EPROTO$|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_CA|PATH_LENGTH_|HOSTNAME_MISMATCH)/

const unknownAuthority =
  'no trusted authority signed the certificate of the server. Set backupSwiftCaCertFile (backup_swift_ca_cert_file) to a ' +
  'file with the certificate of the authority that did; where the server leaves out an intermediate certificate, with that too'

const tlsTexts: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED:
    'a certificate of the server has expired. Renew it, or set the clock of this machine if it is wrong',
  CERT_NOT_YET_VALID:
    'a certificate of the server is not valid yet. Set the clock of this machine if it is wrong, or wait until it is',
  CERT_REVOKED: 'the certificate of the server was revoked. Replace it',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'the server signed its certificate itself, and it is not trusted. Set backupSwiftCaCertFile ' +
    '(backup_swift_ca_cert_file) to a file with that certificate',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'the server does not speak TLS at this port. Check the scheme and the port of the URL',
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    'the server does not speak TLS at this port. Check the scheme and the port of the URL',
}

/** What an error of TLS means, and what to do about it; undefined for an error of anything else. */
export function tlsFailureOf(error: Error, code: string): NetworkFailure | undefined {
  if (!certificateCodes.test(code)) return undefined
  const text =
    code === 'ERR_TLS_CERT_ALTNAME_INVALID'
      ? wrongName(error)
      : /ALERT.*CERTIFICATE|CERTIFICATE_REQUIRED/.test(code)
        ? 'the server refuses the client certificate, or wants one. Set clientCertFile and clientKeyFile'
        : (tlsTexts[code] ??
          'no trusted TLS connection could be made. Set backupSwiftCaCertFile (backup_swift_ca_cert_file) to the file ' +
            'with the certificate of the authority that signed the server’s, or check that the URL and its scheme are right')
  const asLast =
    code === 'EPROTO' || code.startsWith('ERR_SSL_')
      ? ''
      : '. backupSwiftAuthInsecure (backup_swift_auth_insecure) = true turns the check off'
  return { code: 'TLS_FAILED', retry: 'never', text: `${text} (${code})${asLast}` }
}

function wrongName(error: Error): string {
  const host = 'host' in error && typeof error.host === 'string' ? error.host : 'the host'
  const names = subjectNames(error)
  return (
    `the certificate of the server is for other names than ${host}${names === '' ? '' : `: ${names}`}. Use one of its ` +
    'names in the URL, or give the server a certificate with this one'
  )
}

/** The names in a certificate, cut: the server chose them. */
function subjectNames(error: Error): string {
  const cert: unknown = 'cert' in error ? error.cert : undefined
  const names: unknown =
    typeof cert === 'object' && cert !== null && 'subjectaltname' in cert ? cert.subjectaltname : ''
  return typeof names === 'string' ? names.replace(/[^\x20-\x7e]/g, '?').slice(0, 200) : ''
}
