import { BackupError } from '../errors/backup-error.js'
import { hasMethods, type OptionRule } from './option-rules.js'

/**
 * Checks the options of a public call: an object with known names only, whose values their rules accept. An option that
 * is undefined counts as left out.
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
    const message = `${capital(what)} must be an object with options, not ${shown(options)}.`
    throw invalid(message, forgottenAwait(options))
  }
  const names = Object.keys(shape)
  // Inherited ones too: options may be an instance of one of the caller's classes.
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
  // Maps, dates and signals have no options, and would be accepted as objects without any.
  return Object.prototype.toString.call(value) === '[object Object]' && !hasMethods(value, ['then'])
}

function forgottenAwait(value: unknown): string | undefined {
  return hasMethods(value, ['then']) ? 'It is a promise: did you forget `await`?' : undefined
}

/** Numbers and booleans as they are; of all other values only the type, since they may be secrets. */
function shown(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : describeValue(value)
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function invalid(message: string, advice?: string): BackupError {
  return new BackupError('OPTION_INVALID', advice === undefined ? message : `${message} ${advice}`)
}

/** A mistyped name may differ from the option's by one edit for each so many letters. */
const LETTERS_PER_EDIT = 4

/** Returns the option that a caller probably meant: another case or spelling, a beginning, or a typing error. */
function nearestName(given: string, names: readonly string[]): string | undefined {
  const wanted = folded(given)
  if (wanted === '') return undefined
  const same = names.find((name) => folded(name) === wanted)
  if (same !== undefined) return same
  const longer = names.filter((name) => wanted.length >= 3 && folded(name).startsWith(wanted))
  if (longer.length === 1) return longer[0]
  const maxEdits = Math.max(1, Math.floor(wanted.length / LETTERS_PER_EDIT))
  const near = names
    .map((name) => ({ name, edits: editDistance(wanted, folded(name), maxEdits) }))
    .filter(({ edits }) => edits <= maxEdits)
    .sort((a, b) => a.edits - b.edits)
  return near[0]?.name
}

/** `chunk_size_bytes`, `chunk-size-bytes` and `ChunkSizeBytes` are the same name. */
function folded(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** How many letters to insert, remove, replace or swap with the next one (optimal string alignment distance). */
function editDistance(from: string, to: string, maxEdits: number): number {
  if (Math.abs(from.length - to.length) > maxEdits) return Infinity
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

/** Returns the type of a value, for an error message: `a string`, `null`, `an object (Uint16Array)`. Never its content. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (value === '') return 'an empty string'
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object') return `a ${typeof value}`
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null
  const name = prototype?.constructor?.name
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `an object (${name})` : 'an object'
}
