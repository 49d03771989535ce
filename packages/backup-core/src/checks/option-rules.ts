/** What one option must be. */
export interface OptionRule {
  /** What follows "must be": `a whole number of at least 1`. */
  readonly expected: string
  /** Whether a value is that. Never called with undefined, which counts as left out. */
  readonly accepts: (value: unknown) => boolean
  /** The likely fix for a value that is not accepted, as a sentence. */
  readonly hint?: (value: unknown) => string | undefined
  /** The option cannot be left out. @default false */
  readonly required?: boolean
}

/** The rules for every option of a call. Options that have no rule are refused. */
export type OptionShape<Options extends object> = { readonly [Key in keyof Options]-?: OptionRule }

type Hint = (value: unknown) => string | undefined

const rule = (expected: string, accepts: (value: unknown) => boolean, hint?: Hint): OptionRule =>
  hint === undefined ? { expected, accepts } : { expected, accepts, hint }

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const hasMethods = (value: unknown, methods: readonly string[]): boolean =>
  (isObject(value) || typeof value === 'function') &&
  methods.every((method) => typeof (value as Readonly<Record<string, unknown>>)[method] === 'function')

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
    return rule(`a whole number ${range}`, (value) => {
      return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
    })
  },

  /** One of a few words. */
  oneOf(...words: readonly string[]): OptionRule {
    const expected = words.map((word) => `'${word}'`).join(' or ')
    return rule(expected, (value) => typeof value === 'string' && words.includes(value))
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

  /** Null, or what another rule says. */
  orNull(one: OptionRule): OptionRule {
    const { hint } = one
    const accepts = (value: unknown): boolean => value === null || one.accepts(value)
    return rule(`${one.expected} or null`, accepts, hint && ((value) => hint(value)))
  },

  /** An option that cannot be left out. */
  required(one: OptionRule): OptionRule {
    return { ...one, required: true }
  },
} as const
