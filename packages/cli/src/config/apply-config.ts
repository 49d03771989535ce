import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { CliError } from '../cli-error.js'
import { exitCodes } from '../exit-codes.js'
import { CliOption, parseText } from '../options/option.js'
import { ownBackends } from '../plugins/own-packages.js'
import { schemeOf } from '../store-url.js'
import { invalidConfig } from './config.js'
import type { Config, ConfigOptions, ConfigVolume } from './config.js'

/** Options that choose the configuration or have a section of their own in it. */
const withoutDefault = new Set(['config', 'backend', 'compressor'])

/**
 * Fills in from the configuration what the command line and the environment left open: first from the volume that a backup
 * names, then from the store, then from the defaults. Replaces the name of a volume by its source, and that of a store by
 * its URL.
 *
 * @throws CliError `CONFIG_INVALID`; `USAGE` for the name of a store that the configuration does not have
 */
export function applyConfig(command: Command, config: Config): void {
  const volume = volumeOf(command, config)
  if (volume) {
    const { source, store, options } = volume.value
    command.processedArgs = [[source]]
    apply(command, config, `volumes.${volume.name}`, options)
    if (store !== undefined) set(command, 'store', store)
  }
  const { store: defaultStore, ...defaults } = config.defaults
  if (typeof defaultStore === 'string') set(command, 'store', defaultStore)
  const chosen = command.optsWithGlobals<{ store?: string }>().store
  const store = chosen === undefined ? undefined : config.stores.get(chosen)
  if (store) {
    top(command).setOptionValueWithSource('store', store.url, 'config')
    apply(command, config, `stores.${String(chosen)}`, store.options)
  } else if (chosen !== undefined && schemeOf(chosen) === undefined && config.stores.size > 0)
    throw unknownStore(chosen, config)
  apply(command, config, 'defaults', defaults)
  if (command.name() === 'copy') applyTarget(command, config)
  prepend(command, 'backend', config.backends)
  prepend(command, 'compressor', config.compressors)
}

/**
 * Replaces the name of the store of `--to` by its URL, and collects the options of its backend: those of the other store do
 * not apply to it.
 */
function applyTarget(command: Command, config: Config): void {
  const { to } = command.opts<{ to?: string }>()
  const store = to === undefined ? undefined : config.stores.get(to)
  if (to === undefined) return
  if (!store) {
    if (schemeOf(to) === undefined && config.stores.size > 0) throw unknownStore(to, config)
    return
  }
  const program = top(command)
  const ofBackend = program.options.filter((option) => option instanceof CliOption && option.isOfBackend)
  const isFree = (name: string): boolean =>
    [undefined, 'config', 'default'].includes(program.getOptionValueSource(name))
  const values: Record<string, unknown> = Object.fromEntries(
    ofBackend
      .map((option) => option.attributeName())
      .filter(isFree)
      .map((name) => [name, undefined]),
  )
  for (const [name, value] of Object.entries(store.options)) {
    const option = optionOf(command, name) ?? optionOf(program, name)
    if (!option) {
      assertKnown(command, config, `stores.${to}`, name)
      continue
    }
    const parsed = parsedValue(option, value, config, `stores.${to}.${name}`)
    if (isFree(option.attributeName())) values[option.attributeName()] = parsed
  }
  command.setOptionValueWithSource('to', store.url, 'config')
  command.setOptionValueWithSource('targetOptions', values, 'config')
}

/** The URL of a store that the command line, the environment or the configuration names. */
export function storeUrlOf(store: string | undefined, operands: readonly string[], config: Config): string {
  const [name, ...rest] = operands
  const volume = name === 'backup' ? rest.find((operand) => config.volumes.has(operand)) : undefined
  const ofVolume = config.volumes.get(volume ?? '')?.store
  const chosen = store ?? ofVolume ?? String(config.defaults['store'] ?? '')
  return config.stores.get(chosen)?.url ?? chosen
}

function volumeOf(
  command: Command,
  { volumes }: Config,
): { readonly name: string; readonly value: ConfigVolume } | undefined {
  const [name = '', ...more] = command.args
  const { stdinFromCommand = false } = command.opts<{ stdinFromCommand?: boolean }>()
  const value =
    command.name() === 'backup' && !stdinFromCommand && more.length === 0 ? volumes.get(name) : undefined
  return value && { name, value }
}

function apply(command: Command, config: Config, path: string, options: ConfigOptions): void {
  for (const [name, value] of Object.entries(options)) {
    const holder = [command, top(command)].find((one) => optionOf(one, name) !== undefined)
    if (holder === undefined) {
      assertKnown(command, config, path, name)
      continue
    }
    const option = optionOf(holder, name)
    if (!option) continue
    // Checked also where it does not apply: a typing error must not wait for the day on which it does.
    const parsed = parsedValue(option, value, config, `${path}.${name}`)
    if (holder.getOptionValueSource(option.attributeName()) !== undefined) continue
    holder.setOptionValueWithSource(option.attributeName(), parsed, 'config')
  }
}

/** An option that the configuration may have: one that the environment may have, or one of a backend. */
function optionOf(command: Command, name: string): CliOption | undefined {
  if (withoutDefault.has(name)) return undefined
  return command.options
    .filter((option) => option instanceof CliOption)
    .find(
      (option) =>
        option.long === `--${name}` && (option.environmentVariable !== undefined || option.isOfBackend),
    )
}

/** An option of another command, and among the defaults one of another backend, is valid and does not apply. */
function assertKnown(command: Command, { file }: Config, path: string, name: string): void {
  if (top(command).commands.some((other) => optionOf(other, name) !== undefined)) return
  const owner = ownBackends.find(({ flags }) => flags.includes(name))
  if (owner && path === 'defaults') return
  const why = owner
    ? `is an option of ${owner.schemes.join(', ')}: stores.`
    : 'is not an option that a configuration may have. `stowage --help` lists them: those with [env: …], and those of the store.'
  throw invalidConfig(file, `${path}.${name}`, why)
}

function parsedValue(
  option: CliOption,
  value: string | number | boolean,
  { file }: Config,
  path: string,
): unknown {
  if (option.isBoolean() !== (typeof value === 'boolean'))
    throw invalidConfig(
      file,
      path,
      option.isBoolean() ? 'must be true or false.' : 'must be a text or a number.',
    )
  if (typeof value === 'boolean') return value
  try {
    return parseText(option, String(value))
  } catch (error) {
    if (error instanceof InvalidArgumentError)
      throw invalidConfig(file, path, `is not valid. ${error.message}`, error)
    throw error
  }
}

function set(command: Command, name: string, value: string): void {
  const program = top(command)
  if (program.getOptionValueSource(name) === undefined)
    program.setOptionValueWithSource(name, value, 'config')
}

/** The last choice counts: that of the command line comes after those of the configuration. */
function prepend(command: Command, name: string, choices: readonly unknown[]): void {
  const program = top(command)
  const given = (program.getOptionValue(name) as unknown[] | undefined) ?? []
  program.setOptionValueWithSource(
    name,
    [...choices, ...given],
    program.getOptionValueSource(name) ?? 'config',
  )
}

function top(command: Command): Command {
  let at = command
  while (at.parent) at = at.parent
  return at
}

function unknownStore(name: string, { file, stores }: Config): CliError {
  return new CliError('USAGE', `"${name}" is not a store URL, and not a store of ${file}.`, {
    exitCode: exitCodes.usage,
    hint: `Stores there: ${[...stores.keys()].join(', ')}. For a directory, say posix:${name}`,
  })
}
