const numberPattern = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/
const integerPattern = /^-?[0-9]+$/

/** Whether this is a number as JSON writes it. */
export function isJsonNumber(text: string): boolean {
  return numberPattern.test(text)
}

/** The integer, or null for anything that is written otherwise or that JavaScript would round. */
export function parseSafeInteger(text: string): number | null {
  if (!integerPattern.test(text)) return null
  const value = Number(text)
  if (!Number.isSafeInteger(value)) return null
  return value === 0 ? 0 : value
}

/** The number, or null where JavaScript would round an integer or make an infinity of it. */
export function parseExactNumber(text: string): number | null {
  if (integerPattern.test(text) && text !== '-0') return parseSafeInteger(text)
  const value = Number(text)
  return Number.isFinite(value) ? value : null
}
