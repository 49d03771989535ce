import { BackupError } from '../errors/backup-error.js'
import type { OptionRule } from './option-rules.js'

/**
 * Checks the options of a public call: an object, with known names only, whose values are what their rules say. An
 * option that is undefined counts as left out.
 *
 * @param what - names the options in the error: `the options of restore()`
 * @throws BackupError `OPTION_INVALID` with the likely fix
 */
export function checkOptions(
  what: string,
  options: unknown,
  shape: Readonly<Record<string, OptionRule>>,
): void {
  if (!isOptionsObject(options)) {
    throw invalid(
      `${capital(what)} must be an object with options, not ${shown(options)}.`,
      forgottenAwait(options),
    )
  }
  const names = Object.keys(shape)
  // Inherited ones too: options may be an instance of a class of the caller's.
  for (const name in options) {
    if (!Object.hasOwn(shape, name) && options[name] !== undefined) throw unknownOption(what, name, names)
  }
  for (const [name, rule] of Object.entries(shape)) {
    const value = options[name]
    if (value === undefined) {
      if (rule.required === true)
        throw invalid(`The option \`${name}\` is missing from ${what}: it must be ${rule.expected}.`)
    } else if (!rule.accepts(value)) throw notAccepted(`The option \`${name}\` in ${what}`, value, rule)
  }
}

/**
 * Checks one argument of a public call.
 *
 * @param what - names it in the error: `the target of restore()`
 * @throws BackupError `OPTION_INVALID` with the likely fix
 */
export function checkArgument(what: string, value: unknown, rule: OptionRule): void {
  if (value === undefined || !rule.accepts(value)) throw notAccepted(capital(what), value, rule)
}

function notAccepted(what: string, value: unknown, rule: OptionRule): BackupError {
  const hint = forgottenAwait(value) ?? rule.hint?.(value)
  return invalid(`${what} must be ${rule.expected}, not ${shown(value)}.`, hint)
}

function unknownOption(what: string, name: string, names: readonly string[]): BackupError {
  const near = nearestName(name, names)
  const known = names.length === 0 ? 'It takes none.' : `Known are ${names.join(', ')}.`
  const advice = near === undefined ? known : `Did you mean \`${near}\`?`
  return invalid(`There is no option \`${name.slice(0, 100)}\` in ${what}.`, advice)
}

function isOptionsObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || isThenable(value)) return false
  // Maps, dates and signals have no options, and would pass for objects without any.
  return Object.prototype.toString.call(value) === '[object Object]'
}

function forgottenAwait(value: unknown): string | undefined {
  return isThenable(value) ? 'It is a promise: did you forget `await`?' : undefined
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Numbers and truth values as they are; of all else only the kind, for it may be a secret. */
function shown(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : describeValue(value)
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function invalid(message: string, advice?: string): BackupError {
  return new BackupError('OPTION_INVALID', advice === undefined ? message : `${message} ${advice}`)
}

/** The most edits between a name and what it was mistyped as, for each so many letters. */
const LETTERS_AN_EDIT = 4

/** Which of some names a caller probably meant: another case or spelling, a beginning, or a typing error. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  const wanted = folded(given)
  if (wanted === '') return undefined
  const same = names.find((name) => folded(name) === wanted)
  if (same !== undefined) return same
  const longer = names.filter((name) => wanted.length >= 3 && folded(name).startsWith(wanted))
  if (longer.length === 1) return longer[0]
  let best: string | undefined
  let bestEdits = Math.max(1, Math.floor(wanted.length / LETTERS_AN_EDIT)) + 1
  for (const name of names) {
    const edits = editDistance(wanted, folded(name), bestEdits)
    if (edits < bestEdits) {
      best = name
      bestEdits = edits
    }
  }
  return best
}

/** `chunk_size_bytes`, `chunk-size-bytes` and `ChunkSizeBytes` are one name. */
function folded(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** How many letters to insert, remove, replace or swap with the next one; at least `limit` where it is not less. */
function editDistance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) return limit
  let beforePrevious: number[] = []
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = at(previous, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1)
      let edits = Math.min(at(previous, column) + 1, at(current, column - 1) + 1, replaced)
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (row > 1 && column > 1 && swapped) edits = Math.min(edits, at(beforePrevious, column - 2) + 1)
      current.push(edits)
    }
    beforePrevious = previous
    previous = current
  }
  return at(previous, to.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity
}

/** What a value is, for the error that refuses it: `a string`, `null`, `an object (Uint16Array)`. Never its content. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (value === '') return 'an empty string'
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object') return `a ${typeof value}`
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null
  const name = prototype?.constructor?.name
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `an object (${name})` : 'an object'
}
