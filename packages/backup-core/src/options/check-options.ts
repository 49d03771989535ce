import { BackupError } from '../errors/backup-error.js'
import { describeValue } from '../volume/describe-value.js'
import { nearestName } from './nearest-name.js'
import type { OptionRule } from './option-rule.js'

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
