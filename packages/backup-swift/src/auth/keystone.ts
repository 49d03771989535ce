import { BackupError } from '@stowage/backup-core'
import { bodyOf, collect, type HttpClient, type ResponseHead, type Sending } from '@stowage/http'

const maxResponseBytes = 4 * 1024 * 1024

/** The destination of a request: an origin, and a path that is sent unchanged. */
export interface Address {
  readonly origin: string
  readonly path: string
}

/**
 * Splits a URL that the user passed.
 *
 * @throws `OPTION_INVALID` unless it is http or https, without user and password.
 */
export function addressOf(text: string, option: string): Address {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    // The error of Node.js quotes the text, which may contain a password.
    throw new BackupError(
      'OPTION_INVALID',
      `${option} is not a valid URL. Pass one such as https://keystone.example:5000/v3.`,
    )
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new BackupError('OPTION_INVALID', `${option} must begin with http:// or https://.`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new BackupError(
      'OPTION_INVALID',
      `${option} contains a user or a password: pass them in their own options.`,
    )
  }
  return { origin: url.origin, path: url.pathname.replace(/\/+$/, '') }
}

/** Returns the address of a version of Keystone. The URL may end with a version, or have none. */
export function keystoneAddress(authUrl: string, version: 'v2.0' | 'v3'): Address {
  const { origin, path } = addressOf(authUrl, 'backupSwiftAuthUrl (auth_url)')
  const bare = path.replace(/\/v(?:2(?:\.0)?|3(?:\.\d+)?)$/, '')
  return { origin, path: `${bare}/${version}` }
}

/** Posts JSON to Keystone, and parses the object of the response. */
export async function postToKeystone(
  http: HttpClient,
  address: Address,
  body: object,
  sending: Pick<Sending<Buffer>, 'what' | 'accept' | 'refusal'>,
  signal?: AbortSignal,
): Promise<{
  readonly head: ResponseHead
  readonly value: Record<string, unknown>
  readonly sentAtMs: number
}> {
  const sentAtMs = Date.now()
  const { head, value } = await http.send(
    {
      method: 'POST',
      ...address,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: bodyOf(Buffer.from(JSON.stringify(body))),
      // Keystone under uWSGI closes the connection after each response without notice.
      closeConnection: true,
    },
    { ...sending, sink: () => collect(maxResponseBytes) },
    signal,
  )
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value))
  } catch {
    // Without the cause, which quotes the text.
    throw new BackupError(
      'AUTH_FAILED',
      `${sending.what} failed: the response is not valid JSON. Check the auth URL.`,
    )
  }
  return { head, value: recordOf(parsed, 'response'), sentAtMs }
}

/** Returns a value as an object. `what` names it in an error. */
export function recordOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new BackupError(
    'AUTH_FAILED',
    `Signing in failed: the ${what} of Keystone is not an object. Check the auth URL.`,
  )
}

/**
 * Returns when a token expires by the local clock. Uses only the difference of the two times of Keystone, so that its clock
 * may differ.
 */
export function localExpiry(issuedAt: unknown, expiresAt: unknown, sentAtMs: number): Date | null {
  if (typeof expiresAt !== 'string') return null
  const expiresMs = utcMs(expiresAt)
  if (Number.isNaN(expiresMs)) return null
  const issuedMs = typeof issuedAt === 'string' ? utcMs(issuedAt) : NaN
  return new Date(Number.isNaN(issuedMs) ? expiresMs : sentAtMs + Math.max(0, expiresMs - issuedMs))
}

/** Keystone's times are UTC; v2.0 leaves the Z out of some, which JavaScript would read as local time. */
function utcMs(text: string): number {
  return Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
}
