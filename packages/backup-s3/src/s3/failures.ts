import type { BackupErrorCode } from '@stowage/backup-core'
import type { Refusal, ResponseHead, RetryAdvice } from '@stowage/http'
import { parseResponse } from './xml.js'

/** What a store says when it refuses a request. */
export interface S3Refusal {
  /** S3's code: `NoSuchKey`; undefined for HEAD and gateways. */
  readonly code: string | undefined
  /** The region of the bucket, where the request was for another. */
  readonly region: string | undefined
}

/** Reads the code of an error, and the region that a redirect names. */
export function refusalOf(text: string, head: ResponseHead): S3Refusal {
  const root = text === '' ? undefined : parseResponse(text)
  const error = root?.name === 'Error' ? root : undefined
  const header = head.headers['x-amz-bucket-region']
  const region = typeof header === 'string' ? header : error?.text('Region')
  return {
    code: error?.text('Code'),
    region: region !== undefined && /^[a-z0-9-]{1,64}$/i.test(region) ? region : undefined,
  }
}

/** What a code means. */
export interface Meaning {
  readonly code: BackupErrorCode
  readonly retry: RetryAdvice
  readonly text: string
  readonly maxRetries?: number
}

const never = (code: BackupErrorCode, text: string): Meaning => ({ code, retry: 'never', text })
const later = (code: BackupErrorCode, text: string, maxRetries?: number): Meaning => ({
  ...{ code, retry: 'after-backoff', text },
  ...(maxRetries === undefined ? {} : { maxRetries }),
})

const overload = later('RATE_LIMITED', 'The store asks to slow down. Lower the concurrency, or retry later.')
const changed = later(
  'OBJECT_CORRUPT',
  'The bytes were changed in transit: check proxies and network cards.',
  2,
)
const full = never('QUOTA_EXCEEDED', 'The quota is used up. Raise it, or delete old backups.')
const wrongKeys = never(
  'AUTH_FAILED',
  'The store refuses the keys. Check the access key and the secret key, and that they are for this endpoint.',
)
const unavailable = later('STORE_UNAVAILABLE', 'Check the health of the store, and retry later.')

/** What the codes of S3 mean. Those that are not here have the meaning of their status. */
export const meanings: Readonly<Record<string, Meaning>> = {
  AccessDenied: never(
    'FORBIDDEN',
    'These keys may not do it. Check the policies of the user and of the bucket.',
  ),
  AccountProblem: never('FORBIDDEN', 'The account has a problem. Ask its provider.'),
  AllAccessDisabled: never('FORBIDDEN', 'Access to it is disabled. Ask its owner.'),
  BadDigest: changed,
  InvalidDigest: changed,
  XAmzContentSHA256Mismatch: changed,
  IncompleteBody: changed,
  BucketAlreadyExists: never(
    'FORBIDDEN',
    'A bucket of this name belongs to somebody else: the names of all users are one namespace. Choose another name.',
  ),
  ConditionalRequestConflict: later(
    'CONFLICT',
    'Another client writes the same object. Check which, and retry.',
    3,
  ),
  OperationAborted: later('CONFLICT', 'Another client changes the same bucket. Retry later.', 5),
  EntityTooLarge: never(
    'OBJECT_TOO_LARGE',
    'It exceeds the limit of the store. Set a smaller chunkSizeBytes.',
  ),
  ExpiredToken: never('AUTH_EXPIRED', 'The session token has expired. Renew the keys.'),
  TokenRefreshRequired: never('AUTH_EXPIRED', 'The session token has expired. Renew the keys.'),
  InternalError: unavailable,
  InvalidAccessKeyId: wrongKeys,
  SignatureDoesNotMatch: wrongKeys,
  InvalidToken: never('AUTH_FAILED', 'The session token is invalid. Check that it belongs to these keys.'),
  InvalidObjectState: never(
    'STORE_FAILED',
    'The object is in an archive class. Restore it to the standard class first (RestoreObject), and retry.',
  ),
  InvalidBucketName: never('OPTION_INVALID', 'The store does not allow this name for a bucket.'),
  NoSuchBucket: never('CONTAINER_MISSING', 'The bucket does not exist. Check its name and the endpoint.'),
  NotImplemented: never(
    'STORE_FAILED',
    'The store does not implement it. If it is about If-None-Match, set conditionalPut to false.',
  ),
  QuotaExceeded: full,
  XMinioStorageFull: never('NO_SPACE', 'The store is full: its operator must free space.'),
  RequestTimeTooSkewed: never(
    'AUTH_FAILED',
    'The clocks of this machine and of the store differ too much. Set the clock of this machine.',
  ),
  RequestTimeout: unavailable,
  ServiceUnavailable: overload,
  SlowDown: overload,
  SlowDownRead: overload,
  SlowDownWrite: overload,
  TooManyBuckets: never('QUOTA_EXCEEDED', 'The limit of buckets is reached. Delete one, or have it raised.'),
}

const requestTimes = /^(?:RequestTimeTooSkewed|RequestExpired)$/
const expired = /^(?:ExpiredToken|TokenRefreshRequired|InvalidToken|InvalidAccessKeyId)$/

/** Whether the store refused the time of the request. */
export function isSkewed({ code }: S3Refusal): boolean {
  return requestTimes.test(code ?? '')
}

/** Whether other keys may help. */
export function isRefusedKey({ code }: S3Refusal): boolean {
  return expired.test(code ?? '')
}

/** Returns the meaning of a refused request; undefined if its status says it all. */
export function meaningOf(
  status: number,
  refusal: S3Refusal,
  what: string,
  signedFor: string,
): Refusal | undefined {
  const { code, region } = refusal
  if (region !== undefined && region !== signedFor && [301, 307, 400].includes(status)) {
    return {
      code: 'OPTION_INVALID',
      message: `${what} failed: the bucket is in the region ${region}, and the requests are for ${signedFor}. Set region to ${region}.`,
    }
  }
  // Own names only: the code is the store's text.
  const known = code !== undefined && Object.hasOwn(meanings, code) ? meanings[code] : undefined
  if (!known) return undefined
  const { text, ...rest } = known
  return { ...rest, message: `${what} failed (${code ?? ''}). ${text}` }
}
