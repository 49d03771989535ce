import type { VolumeExtent } from '@stowage/backup-core'

/** Powers as GNU tools read them: `K` and `KiB` are 1024, `KB` is 1000. */
const powers = ['', 'K', 'M', 'G', 'T', 'P']
const sizePattern = /^(\d+(?:\.\d+)?)\s*([KMGTP]?)(I?B)?$/i

/** The syntax of {@link parseSize}, for messages and help. */
export const sizeSyntax = 'bytes, or a number with K, M, G, T (×1024; so KiB …) or KB, MB, GB, TB (×1000)'

/**
 * Parses a size, and returns bytes: `32768`, `50M`, `1GiB`, `1.5G`, `10MB`. Case does not matter.
 *
 * @throws RangeError where it is not a size, not a whole number of bytes, or beyond 2^53 - 1
 */
export function parseSize(text: string): number {
  const match = sizePattern.exec(text.trim())
  const power = powers.indexOf((match?.[2] ?? '').toUpperCase())
  const unit = (match?.[3] ?? '').toUpperCase()
  if (!match || (unit === 'IB' && power === 0)) {
    throw new RangeError(`"${text}" is not a size. Give ${sizeSyntax}.`)
  }
  const isDecimal = unit === 'B' && power > 0
  const bytes = Number(match[1]) * (isDecimal ? 1000 : 1024) ** power
  if (!Number.isSafeInteger(bytes)) {
    throw new RangeError(`"${text}" is not a whole number of bytes below 2^53.`)
  }
  return bytes
}

/**
 * Parses a range of a volume, `OFFSET:LENGTH`, both in the syntax of {@link parseSize}.
 *
 * @throws RangeError where it is not one, or is empty
 */
export function parseRange(text: string): VolumeExtent {
  const [offset, length, ...rest] = text.split(':')
  if (offset === undefined || length === undefined || rest.length > 0) {
    throw new RangeError(`"${text}" is not a range. Give OFFSET:LENGTH, such as 1G:512M.`)
  }
  const range = { offsetBytes: parseSize(offset), lengthBytes: parseSize(length) }
  if (range.lengthBytes === 0) throw new RangeError(`The range "${text}" is empty.`)
  return range
}

/** Formats a size: `0 B`, `1.5 KiB`, `64 MiB`. Binary units, at most three digits. */
export function formatSize(bytes: number): string {
  let value = bytes
  let power = 0
  while (value >= 1023.5 && power < powers.length - 1) {
    value /= 1024
    power += 1
  }
  if (power === 0) return `${String(Math.round(value))} B`
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
  // 64 MiB, not 64.00 MiB: a round size is a round number.
  return `${String(Number(value.toFixed(digits)))} ${powers[power] ?? ''}iB`
}

/** `1 object`, `2 objects`. */
export function countOf(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`
}
