import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import { CliError } from '../cli-error.js'
import { exitCodes } from '../exit-codes.js'

/** How to build a {@link CliOption}. */
export interface OptionSpec {
  /** The variable that stands in for the option where it is not given. */
  readonly env?: string
  /** Turns the text into a value; throws a RangeError with what is wrong. */
  readonly parse?: (text: string) => unknown
  readonly choices?: readonly string[]
  /** The option may be repeated. Its value is an array; the variable has the items separated by commas. @default false */
  readonly isList?: boolean
}

/** Splits the value of a variable that stands in for an option that may be repeated. */
export function splitList(text: string): string[] {
  return text.split(',').filter((item) => item.trim() !== '')
}

/**
 * An option that an environment variable can set. Commander's own `env()` ignores the environment that the caller of `main`
 * passes, and treats `STOWAGE_JSON=0` as true.
 */
export class CliOption extends Option {
  readonly environmentVariable: string | undefined
  readonly isList: boolean
  /** Whether it is an option of a backend: the environment need not have it. */
  readonly isOfBackend: boolean = false

  constructor(flags: string, description: string, { env, parse, choices, isList = false }: OptionSpec = {}) {
    super(flags, env === undefined ? description : `${description} [env: ${env}]`)
    this.environmentVariable = env
    this.isList = isList
    if (choices) this.choices(choices)
    if (parse) {
      this.argParser((text: string, previous: unknown) => {
        const value = refuse(() => parse(text))
        return isList ? [...((previous as unknown[] | undefined) ?? []), value] : value
      })
    }
  }
}

function refuse<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (error instanceof RangeError) throw new InvalidArgumentError(error.message)
    throw error
  }
}

const yes = new Set(['1', 'true', 'yes', 'on'])
const no = new Set(['0', 'false', 'no', 'off'])

/**
 * Fills in from the environment what the command line left open, for a command and the ones above it.
 *
 * @throws CliError `USAGE` where a variable has a value that the option would refuse
 */
export function applyEnvironment(command: Command, env: Readonly<Record<string, string | undefined>>): void {
  for (let at: Command | null = command; at; at = at.parent) {
    for (const option of at.options) {
      if (!(option instanceof CliOption) || option.environmentVariable === undefined) continue
      const text = env[option.environmentVariable]
      const name = option.attributeName()
      if (text === undefined || text === '' || at.getOptionValueSource(name) !== undefined) continue
      at.setOptionValueWithSource(name, valueOf(option, text), 'env')
    }
  }
}

/**
 * Parses a text that stands in for the value of an option on the command line.
 *
 * @throws InvalidArgumentError where the option would refuse it
 */
export function parseText(option: CliOption, text: string): unknown {
  const parse = option.parseArg as ((value: string, previous: unknown) => unknown) | undefined
  if (!parse) return text
  if (!option.isList) return parse(text, undefined)
  return splitList(text).reduce<unknown>((items, item) => parse(item, items), undefined)
}

function valueOf(option: CliOption, text: string): unknown {
  const variable = option.environmentVariable ?? ''
  if (option.isBoolean()) {
    const word = text.toLowerCase()
    if (yes.has(word) || no.has(word)) return yes.has(word)
    throw invalid(variable, text, 'Give 1 or 0.')
  }
  try {
    return parseText(option, text)
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw invalid(variable, text, error.message)
    throw error
  }
}

function invalid(variable: string, text: string, why: string): CliError {
  return new CliError('USAGE', `The environment variable ${variable} is "${text}". ${why}`, {
    exitCode: exitCodes.usage,
  })
}
