import { BackupError } from '../errors/backup-error.js'
import type { JsonValue } from '../contracts/records.js'

/**
 * Orders two strings as Python does: by code point. JavaScript's own `<` goes by UTF-16 unit, which puts U+1F600
 * (its first unit is 0xD83D) before U+FF5E. A lone surrogate counts as its code point, in both languages.
 */
export function compareCodePoints(left: string, right: string): number {
  let index = 0
  while (index < left.length && index < right.length) {
    const a = left.codePointAt(index) ?? 0
    const b = right.codePointAt(index) ?? 0
    if (a !== b) return a - b
    index += a > 0xffff ? 2 : 1
  }
  return left.length - right.length
}

/** From this power of ten on, and below `1e-4`, Python's `repr` of a float has an exponent. JavaScript's are 21 and -7. */
const firstLargeExponent = 16
const lastSmallExponent = -5

/**
 * A number as Python's `json.dumps` prints it. A safe integer is printed as Python's `int`; anything else as its
 * `float`, whose shortest round-trip digits are also JavaScript's, in another layout.
 *
 * JavaScript does not distinguish `1.0` from `1`: both are printed as the integer.
 *
 * @throws BackupError `OPTION_INVALID` for NaN and the infinities, which JSON does not have.
 */
export function pythonNumber(value: number): string {
  if (!Number.isFinite(value)) {
    throw new BackupError('OPTION_INVALID', `${value} cannot be written as JSON. Pass a finite number.`)
  }
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value)

  const [mantissa = '', exponentText = '0'] = Math.abs(value).toExponential().split('e')
  const digits = mantissa.replace('.', '')
  const exponent = Number(exponentText)
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  return sign + layOut(digits, exponent)
}

function layOut(digits: string, exponent: number): string {
  if (exponent >= firstLargeExponent || exponent <= lastSmallExponent) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
    const size = String(Math.abs(exponent)).padStart(2, '0')
    return `${digits.slice(0, 1)}${fraction}e${exponent < 0 ? '-' : '+'}${size}`
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${whole}.${digits.slice(exponent + 1) || '0'}`
}

/** How to lay out JSON. */
export interface PythonDumpsOptions {
  /** Spaces a level, one item a line, as Python's `indent`. @default all on one line */
  readonly indent?: number
  /** Sorts the keys of every object by code point. @default the order they were set in */
  readonly sortKeys?: boolean
  /** How deep the value is nested. @default 0 */
  readonly level?: number
}

/** Characters that Python's encoder escapes: all but printable ASCII and 0x7f, and the two that JSON escapes. */
const escaped = /[^\x20-\x7e]|["\\]/g

const shortForms: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

/** One UTF-16 unit: without the `u` flag the expression sees astral characters as the pair that Python writes. */
function escapeUnit(unit: string): string {
  return shortForms.get(unit) ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** A string in quotes, byte for byte as Python's `json.dumps` writes it (`ensure_ascii`): the result is ASCII. */
export function pythonString(text: string): string {
  return `"${text.replace(escaped, escapeUnit)}"`
}

/**
 * JSON as Python's `json.dumps` writes it, with its separators `, ` and `: `.
 *
 * Differs where JavaScript's values do: `1.0` is written as `1`, and without `sortKeys` keys that look like array
 * indices come first. A value must not be nested deeper than the stack allows.
 *
 * @throws BackupError `OPTION_INVALID` for NaN and the infinities.
 */
export function pythonDumps(value: JsonValue, options: PythonDumpsOptions = {}): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return pythonString(value)
  if (typeof value === 'number') return pythonNumber(value)
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  const { indent, level = 0 } = options
  const inner = { ...options, level: level + 1 }
  const keys = Object.keys(value)
  if (options.sortKeys === true && !isArray(value)) keys.sort(compareCodePoints)
  const items = isArray(value)
    ? value.map((item) => pythonDumps(item, inner))
    : keys.map((key) => `${pythonString(key)}: ${pythonDumps(value[key] ?? null, inner)}`)
  const [open, close] = isArray(value) ? '[]' : '{}'
  if (items.length === 0 || indent === undefined) return `${open}${items.join(', ')}${close}`
  const line = `\n${' '.repeat(indent * (level + 1))}`
  return `${open}${line}${items.join(`,${line}`)}\n${' '.repeat(indent * level)}${close}`
}

/** `Array.isArray` does not narrow a readonly array. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}
