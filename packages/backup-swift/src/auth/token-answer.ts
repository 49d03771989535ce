import { BackupError } from '@stowage/backup-core'

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
