import type { BackendFlag } from '@stowage/backup-core'
import type { Command } from 'commander'
import { CliError } from '../cli-error.js'
import { parseDuration } from '../durations.js'
import { exitCodes } from '../exit-codes.js'
import { CliOption } from '../options/option.js'
import { ownBackends } from '../plugins/own-packages.js'
import { parseSize } from '../sizes.js'
import { loadOwnBackend } from './load-backend.js'
import type { LoadedBackend } from './load-backend.js'

type Env = Readonly<Record<string, string | undefined>>

/** The option of the command for a flag of a backend. */
export class BackendOption extends CliOption {
  override readonly isOfBackend = true

  constructor(
    readonly flagName: string,
    readonly flag: BackendFlag,
    readonly backend: LoadedBackend,
  ) {
    const { kind = 'text', valueName = valueNames[kind], description, env } = flag
    const parse = parsers[kind]
    super(kind === 'boolean' ? `--${flagName}` : `--${flagName} <${valueName}>`, description, {
      ...(env === undefined ? {} : { env }),
      ...(parse === undefined ? {} : { parse }),
    })
    // The help has a section for each backend, with all commands.
    this.hideHelp()
  }
}

type Kind = NonNullable<BackendFlag['kind']>

const valueNames: Readonly<Record<Kind, string>> = {
  text: 'text',
  'whole-number': 'n',
  duration: 'time',
  size: 'size',
  boolean: '',
}

const parsers: Readonly<Record<Kind, ((text: string) => unknown) | undefined>> = {
  text: undefined,
  'whole-number': parseWholeNumber,
  duration: parseDuration,
  size: parseSize,
  boolean: undefined,
}

function parseWholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new RangeError('Give a whole number.')
  return Number(text)
}

/**
 * Adds the flags of a backend to the command line.
 *
 * @throws CliError `BACKEND_INVALID` where a flag has the name of an option of the command, or of a different flag of another backend
 */
export async function addFlags(program: Command, loaded: LoadedBackend, env: Env): Promise<void> {
  for (const [name, flag] of Object.entries(loaded.value.flags ?? {})) {
    const taken = optionOf(program, name)
    // Two backends may have the same flag: only one of them opens the store.
    if (taken instanceof BackendOption && isSame(taken.flag, flag)) continue
    const other = taken ?? (await ownOption(name, loaded, env))
    if (other !== undefined && !(other instanceof BackendOption && isSame(other.flag, flag)))
      throw collision(name, loaded, other)
    program.addOption(new BackendOption(name, flag, loaded))
  }
}

/** The values of a backend's flags among all options that were parsed. */
export function flagValues(
  { value: { flags = {} } }: LoadedBackend,
  options: object,
): Record<string, string | number | boolean> {
  const values: Record<string, string | number | boolean> = {}
  for (const name of Object.keys(flags)) {
    const value = (options as Readonly<Record<string, string | number | boolean | undefined>>)[
      attribute(name)
    ]
    if (value !== undefined) values[name] = value
  }
  return values
}

const attribute = (name: string): string => new CliOption(`--${name}`, '').attributeName()

function optionOf(program: Command, name: string): object | undefined {
  if (name === 'help') return program
  const options = [program, ...program.commands].flatMap((command) => command.options)
  return options.find(({ long }) => long === `--${name}`)
}

/** The same flag of a backend that is installed with the command, which is loaded only where there is one. */
async function ownOption(name: string, loaded: LoadedBackend, env: Env): Promise<BackendOption | undefined> {
  const own = ownBackends.find(
    ({ packageName, flags }) => packageName !== loaded.packageName && flags.includes(name),
  )
  const other = own && (await loadOwnBackend(own.packageName, own.schemes[0] ?? '', env))
  const flag = other?.value.flags?.[name]
  return flag && new BackendOption(name, flag, other)
}

const isSame = (one: BackendFlag, other: BackendFlag): boolean =>
  (one.kind ?? 'text') === (other.kind ?? 'text') && one.env === other.env

function collision(name: string, { packageName }: LoadedBackend, other: object): CliError {
  const whose =
    other instanceof BackendOption
      ? `of the backend ${other.backend.packageName}, with another kind of value or environment variable`
      : 'of the command'
  return new CliError(
    'BACKEND_INVALID',
    `The backend ${packageName} has the option --${name}, which is one ${whose}.`,
    {
      exitCode: exitCodes.failed,
      hint: 'Update the package, or report this to its authors: the option needs another name.',
    },
  )
}
