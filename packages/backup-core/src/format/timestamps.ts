import { BackupError } from '../errors/backup-error.js'

/** The forms of Python's `str(datetime)` and `isoformat()`, and the `Z` of an exported record. */
const createdAtPattern =
  /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d)(?::(\d\d)(?:\.\d{1,6})?)?)?$/

/**
 * Formats a time for `_metadata`: `2026-01-01 00:00:00+00:00`, in UTC, whole seconds.
 * @throws BackupError `OPTION_INVALID` for a date outside of the years 0 to 9999.
 */
export function formatCreatedAt(date: Date): string {
  return `${isoSeconds(date).replace('T', ' ')}+00:00`
}

/**
 * Formats a time for object names: `20260101000000`, in UTC.
 * @throws BackupError `OPTION_INVALID` for a date outside of the years 0 to 9999.
 */
export function formatPrefixTimestamp(date: Date): string {
  return isoSeconds(date).replace(/\D/g, '')
}

/** Reads the time of an object name, as {@link formatPrefixTimestamp} writes it. Null for an invalid time. */
export function parsePrefixTimestamp(text: string): Date | null {
  return parseCreatedAt(text.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3 $4:$5:$6'))
}

/** Formats a time for an exported record: `2026-01-01T00:00:00Z`. */
export function formatRecordTimestamp(date: Date): string {
  return `${isoSeconds(date)}Z`
}

/**
 * A stored `created_at` in ISO 8601, in UTC: `2026-01-01T00:00:00Z`, with a fraction where it has one. Any other text
 * is returned unchanged.
 */
export function isoCreatedAt(text: string): string {
  const date = parseCreatedAt(text)
  // An offset may lead out of the years that ISO 8601 has.
  if (date === null || !hasFourDigitYear(date)) return text
  const fraction = (createdAtPattern.exec(text)?.[7] ?? '').replace(/0+$/, '')
  return `${isoSeconds(date)}${fraction === '' ? '' : `.${fraction}`}Z`
}

function isoSeconds(date: Date): string {
  if (!hasFourDigitYear(date)) {
    throw new BackupError('OPTION_INVALID', '`clock` did not return a date of the years 0 to 9999. Check it.')
  }
  return date.toISOString().slice(0, 19)
}

function hasFourDigitYear(date: Date): boolean {
  const year = date.getUTCFullYear()
  return year >= 0 && year <= 9999
}

/**
 * Reads a `created_at`: with a space or `T`, with or without a fraction and an offset. Without an offset it is UTC, as
 * in Cinder's database. Null for an invalid time.
 */
export function parseCreatedAt(text: string): Date | null {
  const match = createdAtPattern.exec(text)
  if (match === null) return null
  const part = (index: number): number => Number(match[index] ?? 0)
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)]
  if (hour > 23 || minute > 59 || second > 59 || part(9) > 23 || part(10) > 59 || part(11) > 59) return null

  const date = new Date(0)
  // Not Date.UTC: it maps the years 0 to 99 to 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null
  const milliseconds = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'))
  date.setUTCHours(hour, minute, second, milliseconds)

  const offsetSeconds = (part(9) * 60 + part(10)) * 60 + part(11)
  return new Date(date.getTime() + (match[8] === '-' ? 1000 : -1000) * offsetSeconds)
}
