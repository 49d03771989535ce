import type { BackupErrorCode } from '@stowage/backup-core'
import { SlowServerError } from './exchange-watch.js'
import { quotable } from './mask.js'

/**
 * Whether and when a failed attempt is retried. `confirm`: once, immediately, to confirm a response such as 404, which is
 * neither counted nor reported as a retry.
 */
export type RetryAdvice = 'never' | 'after-backoff' | 'immediately' | 'confirm'

/** The meaning of a failure. */
export interface FailureMeaning {
  readonly code: BackupErrorCode
  readonly retry: RetryAdvice
  /** What happened, if the status does not say it, and what to do. */
  readonly text: string
  /** The maximum number of retries, if it is less than that of the policy. */
  readonly maxRetries?: number
}

const meaning = (
  code: BackupErrorCode,
  retry: RetryAdvice,
  text: string,
  maxRetries?: number,
): FailureMeaning => ({
  code,
  retry,
  text,
  ...(maxRetries === undefined ? {} : { maxRetries }),
})

/** Enough for damage by chance; a wrong port or a faulty proxy gives the same response each time. */
const maxRetriesOfBadResponse = 2

const unavailable = meaning(
  'STORE_UNAVAILABLE',
  'after-backoff',
  'Check the health of the cluster, and retry later.',
)
const limited = meaning('RATE_LIMITED', 'after-backoff', 'Lower the concurrency, or retry later.')
const conflict = meaning('CONFLICT', 'never', 'Another client changed the same object. Check it, and retry.')

const byStatus: Readonly<Record<number, FailureMeaning>> = {
  401: meaning('AUTH_FAILED', 'never', 'Check the credentials.'),
  403: meaning(
    'FORBIDDEN',
    'never',
    'Check the permissions of the user, and that the URL is the right one for it.',
  ),
  408: unavailable,
  409: conflict,
  412: conflict,
  413: meaning('QUOTA_EXCEEDED', 'never', 'Raise the quota, or delete old backups.'),
  422: meaning(
    'OBJECT_CORRUPT',
    'after-backoff',
    'The bytes were changed in transit: check proxies and network cards.',
    maxRetriesOfBadResponse,
  ),
  429: limited,
  // Swift's own "Slow down" and "client disconnected".
  498: limited,
  499: unavailable,
  500: unavailable,
  502: unavailable,
  503: unavailable,
  504: unavailable,
  // A full disk stays full for longer than any retry.
  507: meaning('NO_SPACE', 'never', 'The cluster is full: its operator must free space.'),
}

/** Returns the meaning of a status that the request does not accept. */
export function statusMeaning(status: number): FailureMeaning {
  const known = byStatus[status]
  if (known) return known
  const text =
    status >= 300 && status < 400
      ? 'Redirects are not followed, since they could send the token to another server: set the final URL of the endpoint.'
      : 'Check the log of the server.'
  return meaning('STORE_FAILED', 'never', text)
}

/** Returns the delay of a Retry-After in milliseconds; undefined without a valid one. */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs)
}

// Many servers close idle connections without notice: a new connection is tried immediately.
const broken = meaning('STORE_UNAVAILABLE', 'immediately', 'the connection broke')
const unreachable = meaning('STORE_UNAVAILABLE', 'after-backoff', 'the server is not reachable')

/** Failures to connect. */
const connectFailures: Readonly<Record<string, FailureMeaning>> = {
  UND_ERR_CONNECT_TIMEOUT: unreachable,
  ETIMEDOUT: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  EHOSTDOWN: unreachable,
  EAI_AGAIN: unreachable,
  ECONNREFUSED: meaning('STORE_UNAVAILABLE', 'after-backoff', 'the connection was refused'),
  ENOTFOUND: meaning('STORE_UNAVAILABLE', 'never', 'the host name does not resolve; check the URL'),
}

const otherFailures: Readonly<Record<string, FailureMeaning>> = {
  ECONNRESET: broken,
  EPIPE: broken,
  UND_ERR_SOCKET: broken,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: meaning(
    'STORE_UNAVAILABLE',
    'immediately',
    'the response is incomplete',
  ),
  UND_ERR_HEADERS_TIMEOUT: meaning(
    'STORE_UNAVAILABLE',
    'after-backoff',
    'the server took too long to accept the request or to respond',
  ),
  UND_ERR_BODY_TIMEOUT: meaning(
    'STORE_UNAVAILABLE',
    'after-backoff',
    'the server stopped within its response',
  ),
  UND_ERR_ABORTED: meaning(
    'STORE_UNAVAILABLE',
    'after-backoff',
    'the proxy opened no tunnel to the server; check the log of the proxy',
  ),
  UND_ERR_INVALID_ARG: meaning(
    'STORE_FAILED',
    'never',
    'the request is invalid; check tokens, policies and URLs for unusual characters',
  ),
  UND_ERR_HEADERS_OVERFLOW: meaning('STORE_FAILED', 'never', 'the headers of the response are too long'),
}

/** What the user of a backend calls the options that an error advises to set. */
export interface OptionNames {
  /** A file with the certificates of the authorities to trust. */
  readonly caCertificates: string
  /** A client certificate and its key. */
  readonly clientCertificate: string
  /** Turns off the check of certificates. */
  readonly insecure: string
}

/** Returns the meaning of an error of undici, a socket or the resolver, including unknown ones. */
export function networkFailureOf(error: Error, names: OptionNames): FailureMeaning {
  if (error instanceof SlowServerError) return meaning('STORE_UNAVAILABLE', 'after-backoff', error.message)
  const code = codeOf(error)
  const shown = code ?? quotable(error.message)
  if (error.name === 'HTTPParserError' || code?.startsWith('HPE_') === true) {
    const text = `the response is not HTTP/1.1 (${shown}); check the port of the URL`
    return meaning('STORE_FAILED', 'after-backoff', text, maxRetriesOfBadResponse)
  }
  const known =
    code === undefined
      ? undefined
      : (tlsFailureOf(error, code, names) ?? connectFailures[code] ?? otherFailures[code])
  return (
    known ??
    meaning('STORE_FAILED', 'after-backoff', `the request failed (${shown})`, maxRetriesOfBadResponse)
  )
}

/** Whether no connection could be established. */
export function isUnreached(error: Error): boolean {
  return (codeOf(error) ?? '') in connectFailures
}

function codeOf(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string') return error.code
  // Node.js wraps the failures of several addresses of one host.
  if (error instanceof AggregateError) {
    const first: unknown = error.errors[0]
    if (first instanceof Error) return codeOf(first)
  }
  return undefined
}

const certificateCodes =
  /^(?:CERT_|CRL_|ERR_TLS_|ERR_SSL_|EPROTO$|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_CA|PATH_LENGTH_|HOSTNAME_MISMATCH)/

const notTls = 'the server does not speak TLS at this port. Check the scheme and the port of the URL'

const tlsTexts: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED:
    'a certificate of the server has expired. Renew it, or set the clock of this machine if it is wrong',
  CERT_NOT_YET_VALID:
    'a certificate of the server is not valid yet. Set the clock of this machine if it is wrong, or wait until it is',
  CERT_REVOKED: 'the certificate of the server was revoked. Replace it',
  ERR_SSL_WRONG_VERSION_NUMBER: notTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls,
}

const unknownAuthority = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
])

/** Returns the meaning of a TLS error; undefined for other errors. */
function tlsFailureOf(error: Error, code: string, names: OptionNames): FailureMeaning | undefined {
  if (!certificateCodes.test(code)) return undefined
  const asLast =
    code === 'EPROTO' || code.startsWith('ERR_SSL_') ? '' : `. ${names.insecure} = true turns the check off`
  return meaning('TLS_FAILED', 'never', `${tlsText(error, code, names)} (${code})${asLast}`)
}

function tlsText(error: Error, code: string, names: OptionNames): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return wrongName(error)
  if (/ALERT.*CERTIFICATE|CERTIFICATE_REQUIRED/.test(code))
    return `the server refuses the client certificate, or wants one. Set ${names.clientCertificate}`
  if (unknownAuthority.has(code))
    return (
      `no trusted authority signed the certificate of the server. Set ${names.caCertificates} to a file with the ` +
      'certificate of the authority that did; where the server leaves out an intermediate certificate, with that too'
    )
  if (code === 'DEPTH_ZERO_SELF_SIGNED_CERT')
    return (
      `the server signed its certificate itself, and it is not trusted. Set ${names.caCertificates} to a file with that ` +
      'certificate'
    )
  return (
    tlsTexts[code] ??
    `no trusted TLS connection could be made. Set ${names.caCertificates} to the file with the certificate of the authority ` +
      'that signed the server’s, or check that the URL and its scheme are right'
  )
}

function wrongName(error: Error): string {
  const host = 'host' in error && typeof error.host === 'string' ? error.host : 'the host'
  const names = subjectNames(error)
  return (
    `the certificate of the server is for other names than ${host}${names === '' ? '' : `: ${names}`}. Use one of its ` +
    'names in the URL, or give the server a certificate with this one'
  )
}

/** Returns the names in a certificate, shortened: the server controls them. */
function subjectNames(error: Error): string {
  const cert: unknown = 'cert' in error ? error.cert : undefined
  const names: unknown =
    typeof cert === 'object' && cert !== null && 'subjectaltname' in cert ? cert.subjectaltname : ''
  return typeof names === 'string' ? names.replace(/[^\x20-\x7e]/g, '?').slice(0, 200) : ''
}
