import { BackupError } from '@stowage/backup-core'

/** Where a request goes: an origin, and a path that is sent as it is. */
export interface Address {
  readonly origin: string
  readonly path: string
}

/**
 * The parts of a URL from the user's hands.
 *
 * @throws `OPTION_INVALID` unless it is http or https, without user and password.
 */
export function addressOf(text: string, option: string): Address {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    // Node's own error holds the text, in which a password may be.
    throw new BackupError('OPTION_INVALID', `${option} is not a URL.`)
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new BackupError('OPTION_INVALID', `${option} has to begin with http:// or https://.`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new BackupError(
      'OPTION_INVALID',
      `${option} holds a user or a password: give them by options of their own.`,
    )
  }
  return { origin: url.origin, path: url.pathname.replace(/\/+$/, '') }
}

/** The address of one version of Keystone: its URL may end in that version, or have none. */
export function keystoneAddress(authUrl: string, version: 'v2.0' | 'v3'): Address {
  const { origin, path } = addressOf(authUrl, 'backupSwiftAuthUrl (auth_url)')
  const bare = path.replace(/\/v(?:2(?:\.0)?|3(?:\.\d+)?)$/, '')
  return { origin, path: `${bare}/${version}` }
}

/** Parses an answer of Keystone that has to be a JSON object. */
export function jsonObject(bytes: Uint8Array, what: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // Without the cause, which quotes the text.
    throw new BackupError(
      'AUTH_FAILED',
      `${what} is not the JSON that Keystone gives: is the auth URL right?`,
    )
  }
  return recordOf(value, what)
}

/** The value as an object. */
export function recordOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new BackupError('AUTH_FAILED', `${what} is no object, as it should be.`)
}

/**
 * When a token ends by this machine's clock, from its two times by Keystone's: what counts is its remaining life, so
 * that clocks that differ do no harm.
 */
export function localExpiry(issuedAt: unknown, expiresAt: unknown, askedAtMs: number): Date | null {
  if (typeof expiresAt !== 'string') return null
  const expiresMs = utcMs(expiresAt)
  if (Number.isNaN(expiresMs)) return null
  const issuedMs = typeof issuedAt === 'string' ? utcMs(issuedAt) : NaN
  return new Date(Number.isNaN(issuedMs) ? expiresMs : askedAtMs + Math.max(0, expiresMs - issuedMs))
}

/** Keystone's times are UTC; v2.0 leaves the Z out of some, which JavaScript would read as local time. */
function utcMs(text: string): number {
  return Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
}
