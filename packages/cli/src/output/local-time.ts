const isoUtc = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/

/**
 * Formats a time in the local time zone: `2026-01-01 01:00:00 +01:00`, with its offset, which daylight saving time changes
 * within one list.
 *
 * @param time - a date, or ISO 8601; any other text is returned unchanged
 * @param offsetMinutes - of the zone, east of UTC. @default the one of this machine, or of `TZ`, at that moment
 */
export function localTime(time: string | Date, offsetMinutes?: number): string {
  // Date parses almost any text, and a store may contain any.
  const date = new Date(typeof time === 'string' && !isoUtc.test(time) ? NaN : time)
  if (Number.isNaN(date.getTime())) return String(time)
  const minutes = offsetMinutes ?? -date.getTimezoneOffset()
  const local = new Date(date.getTime() + minutes * 60_000).toISOString()
  const size = Math.abs(minutes)
  const offset = `${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${minutes < 0 ? '-' : '+'}${offset}`
}

function twoDigits(value: number): string {
  return String(Math.floor(value)).padStart(2, '0')
}
