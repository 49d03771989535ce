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

export function hasMethods(value: unknown, methods: readonly string[]): value is Fields {
  if (!isObject(value) && typeof value !== 'function') return false
  return methods.every((method) => typeof (value as Fields)[method] === 'function')
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
