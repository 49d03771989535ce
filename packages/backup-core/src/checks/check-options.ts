import { BackupError } from '../errors/backup-error.js'

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

/** A mistyped name may have one wrong letter for each so many, in one place. */
const LETTERS_PER_WRONG_ONE = 4

/** Returns the option that a caller probably meant: another case or spelling, a beginning, or a typing error. */
function nearestName(given: string, names: readonly string[]): string | undefined {
  const wanted = folded(given)
  const longer = names.filter((name) => wanted.length >= 3 && folded(name).startsWith(wanted))
  const maxWrong = Math.max(2, Math.floor(wanted.length / LETTERS_PER_WRONG_ONE))
  const near = names
    .map((name) => ({ name, wrong: wrongLetters(wanted, folded(name)) }))
    .filter(({ wrong }) => wrong <= maxWrong && wrong < wanted.length)
    .sort((a, b) => a.wrong - b.wrong)
  return near[0]?.wrong === 0 || longer.length !== 1 ? near[0]?.name : longer[0]
}

/** `chunk_size_bytes`, `chunk-size-bytes` and `ChunkSizeBytes` are the same name. */
function folded(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** The length of the part of a name that differs from another one, between what both begin and end with. */
function wrongLetters(given: string, name: string): number {
  const shorter = Math.min(given.length, name.length)
  let start = 0
  while (start < shorter && given[start] === name[start]) start += 1
  let end = 0
  while (end < shorter - start && given.at(-1 - end) === name.at(-1 - end)) end += 1
  return Math.max(given.length, name.length) - start - end
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

/** What one option must be. */
export interface OptionRule {
  /** The text after "must be": `a whole number of at least 1`. */
  readonly expected: string
  /** Whether a value is valid. Never called with undefined: such an option counts as left out. */
  readonly accepts: (value: unknown) => boolean
  /** The likely fix for a value that is not accepted, as a sentence. */
  readonly hint?: (value: unknown) => string | undefined
  /** The option cannot be left out. @default false */
  readonly required?: boolean
}

/** The rules for every option of a call. Options without a rule are rejected. */
export type OptionShape<Options extends object> = { readonly [Key in keyof Options]-?: OptionRule }

type Hint = (value: unknown) => string | undefined

const rule = (expected: string, accepts: (value: unknown) => boolean, hint?: Hint): OptionRule =>
  hint === undefined ? { expected, accepts } : { expected, accepts, hint }

type Fields = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function hasMethods(value: unknown, methods: readonly PropertyKey[]): value is Fields {
  if (!isObject(value) && typeof value !== 'function') return false
  return methods.every((method) => typeof (value as Record<PropertyKey, unknown>)[method] === 'function')
}

/** The usual rules of options. */
export const optionRules = {
  text: rule('a string', (value) => typeof value === 'string'),
  nonEmptyText: rule('a string that is not empty', (value) => typeof value === 'string' && value !== ''),
  flag: rule('true or false', (value) => typeof value === 'boolean'),
  callback: rule('a function', (value) => typeof value === 'function'),
  object: rule('an object', isObject),
  signal: rule(
    'an AbortSignal',
    // Of any realm, and of libraries that have their own.
    (value) =>
      isObject(value) && typeof value['aborted'] === 'boolean' && hasMethods(value, ['addEventListener']),
    (value) =>
      isObject(value) && 'signal' in value ? 'Pass the `signal` of the AbortController.' : undefined,
  ),

  /** A whole number, between two others. */
  wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): OptionRule {
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
    const accepts = (value: unknown): boolean =>
      Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max
    return rule(`a whole number ${range}`, accepts)
  },

  /** One of some strings. */
  oneOf(...values: readonly string[]): OptionRule {
    const expected = values.map((value) => `'${value}'`).join(' or ')
    return rule(expected, (value) => typeof value === 'string' && values.includes(value))
  },

  /** An object with these methods. */
  withMethods(expected: string, methods: readonly string[], hint?: Hint): OptionRule {
    return rule(expected, (value) => hasMethods(value, methods), hint)
  },

  /** An array whose items have a rule. */
  arrayOf(item: OptionRule, expected = `an array of which each item is ${item.expected}`): OptionRule {
    const accepts = (value: unknown): boolean =>
      Array.isArray(value) && value.every((one) => one !== undefined && item.accepts(one))
    return rule(expected, accepts, (value) => {
      const wrong: unknown = Array.isArray(value) ? value.find((one) => !item.accepts(one)) : value
      return item.hint?.(wrong)
    })
  },

  /** Null, or a value that another rule accepts. */
  orNull(one: OptionRule): OptionRule {
    const accepts = (value: unknown): boolean => value === null || one.accepts(value)
    return { ...one, expected: `${one.expected} or null`, accepts }
  },

  /** An option that cannot be left out. */
  required(one: OptionRule): OptionRule {
    return { ...one, required: true }
  },
} as const
