const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 }
const durationPattern = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h)?$/i

/** The syntax of {@link parseDuration}, for messages and help. */
export const durationSyntax = 'seconds, or a number with ms, s, m, h, such as 30s or 5m'

/**
 * Parses a time, and returns milliseconds: `30`, `30s`, `500ms`, `5m`, `1.5h`. Case does not matter.
 *
 * @throws RangeError where it is not a time, is less than a millisecond, or more than 24 days, which no timer takes
 */
export function parseDuration(text: string): number {
  const match = durationPattern.exec(text.trim())
  if (!match) throw new RangeError(`"${text}" is not a time. Give ${durationSyntax}.`)
  const ms = Number(match[1]) * (unitMs[(match[2] ?? 's').toLowerCase()] ?? NaN)
  if (!(ms >= 1 && ms <= 24 * 24 * 3_600_000)) {
    throw new RangeError(`"${text}" is not between 1 ms and 24 days.`)
  }
  return ms
}

const ageUnitMs: Readonly<Record<string, number>> = { ...unitMs, d: 86_400_000 }
const agePattern = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)?$/i

/** The syntax of {@link parseAge}, for messages. */
export const ageSyntax = 'seconds, or a number with s, m, h, d, such as 36h or 7d'

/**
 * Parses an age, and returns milliseconds: `0`, `90s`, `24h`, `7d`. Case does not matter.
 *
 * @throws RangeError where it is not an age
 */
export function parseAge(text: string): number {
  const match = agePattern.exec(text.trim())
  const ms = Number(match?.[1]) * (ageUnitMs[(match?.[2] ?? 's').toLowerCase()] ?? NaN)
  if (!Number.isSafeInteger(Math.round(ms)))
    throw new RangeError(`"${text}" is not an age. Give ${ageSyntax}.`)
  return Math.round(ms)
}
