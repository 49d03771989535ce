import type { BackupErrorCode } from '@stowage/backup-core'

/** How an attempt that failed may be repeated. */
export type RetryAdvice = 'never' | 'after-backoff' | 'at-once'

/** What a failure of the network means. */
export interface NetworkFailure {
  readonly code: BackupErrorCode
  readonly retry: RetryAdvice
  /** What happened, and for what lasts also what to do. */
  readonly text: string
}

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

const certificateCodes =
  /^(?:CERT_|CRL_|ERR_TLS_|ERR_SSL_|EPROTO$|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_CA|PATH_LENGTH_|HOSTNAME_MISMATCH)/

const tlsFailure: NetworkFailure = {
  code: 'TLS_FAILED',
  retry: 'never',
  text:
    'no trusted TLS connection could be made. Set backupSwiftCaCertFile (backup_swift_ca_cert_file) to the file with ' +
    'the certificate of the authority that signed the server’s, or check that the URL and its scheme are right; ' +
    'backupSwiftAuthInsecure (backup_swift_auth_insecure) = true turns the check off',
}

/** What an error of undici, of a socket or of the resolver means; undefined when it is none of these. */
export function networkFailureOf(error: Error): NetworkFailure | undefined {
  const code = codeOf(error)
  if (code === undefined) return undefined
  if (certificateCodes.test(code)) return { ...tlsFailure, text: `${tlsFailure.text} (${code})` }
  const known = byCode[code]
  if (known) return known
  if (code.startsWith('HPE_')) {
    return { code: 'STORE_FAILED', retry: 'after-backoff', text: `the answer is not HTTP (${code})` }
  }
  if (code.startsWith('UND_ERR_') || code.startsWith('E')) {
    return { code: 'STORE_FAILED', retry: 'after-backoff', text: `the request failed (${code})` }
  }
  return undefined
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
