import { compareCodePoints } from './code-point-order.js'
import type { JsonValue } from '../contracts/records.js'
import { pythonNumber } from './python-number.js'

/** How to lay out JSON. */
export interface PythonDumpsOptions {
  /** Spaces a level, one item a line, as Python's `indent`. @default all on one line */
  readonly indent?: number
  /** Sorts the keys of every object by code point. @default the order they were set in */
  readonly sortKeys?: boolean
}

/** What Python's encoder does not copy as it is: all but printable ASCII, 0x7f among it, and the two that JSON escapes. */
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
 * indices come first. A value must not be nested deeper than the stack is.
 *
 * @throws BackupError `OPTION_INVALID` for NaN and the infinities.
 */
export function pythonDumps(value: JsonValue, options: PythonDumpsOptions = {}): string {
  return dumpAt(value, options, 0)
}

/** The same for a value that is printed inside of others, `level` levels deep. */
export function dumpAt(value: JsonValue, options: PythonDumpsOptions, level: number): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return pythonString(value)
  if (typeof value === 'number') return pythonNumber(value)
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (isArray(value)) {
    const items = value.map((item) => dumpAt(item, options, level + 1))
    return enclose('[', items, ']', options, level)
  }
  const keys = Object.keys(value)
  if (options.sortKeys === true) keys.sort(compareCodePoints)
  const members = keys.map((key) => `${pythonString(key)}: ${dumpAt(value[key] ?? null, options, level + 1)}`)
  return enclose('{', members, '}', options, level)
}

/** `Array.isArray` does not narrow a readonly array. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}

function enclose(
  open: string,
  items: readonly string[],
  close: string,
  { indent }: PythonDumpsOptions,
  level: number,
): string {
  if (items.length === 0) return open + close
  if (indent === undefined) return open + items.join(', ') + close
  const line = `\n${' '.repeat(indent * (level + 1))}`
  return `${open}${line}${items.join(`,${line}`)}\n${' '.repeat(indent * level)}${close}`
}
