import { dirname, join } from 'node:path'
import { CliError } from '../cli-error.js'
import { exitCodes } from '../exit-codes.js'
import { isModulePath } from '../plugins/module-path.js'
import type { PackageChoice } from '../plugins/package-choice.js'

/** Values of options by their names on the command line, without the dashes. */
export type ConfigOptions = Readonly<Record<string, string | number | boolean>>

/** A store of the configuration. */
export interface ConfigStore {
  readonly url: string
  readonly options: ConfigOptions
}

/** A volume of the configuration, for `stowage backup NAME`. */
export interface ConfigVolume {
  /** An absolute path. */
  readonly source: string
  /** The name of a store, or a URL. */
  readonly store: string | undefined
  readonly options: ConfigOptions
}

/** A configuration file whose structure is valid. Values of options are checked when they are used. */
export interface Config {
  readonly file: string
  readonly stores: ReadonlyMap<string, ConfigStore>
  readonly volumes: ReadonlyMap<string, ConfigVolume>
  readonly defaults: ConfigOptions
  readonly backends: readonly PackageChoice[]
  readonly compressors: readonly PackageChoice[]
}

type Fields = Readonly<Record<string, unknown>>

const sections = ['stores', 'volumes', 'defaults', 'backends', 'compressors']

/**
 * Checks the content of a configuration file.
 *
 * @throws CliError `CONFIG_INVALID`, which names the file and the path of the key
 */
export function checkConfig(content: unknown, file: string): Config {
  const root = fieldsOf(content, file, 'The configuration')
  for (const key of Object.keys(root))
    if (!sections.includes(key))
      throw invalidConfig(file, key, `is not known. Known are ${sections.join(', ')}.`)
  const section = (name: string): [string, unknown][] =>
    root[name] === undefined ? [] : Object.entries(fieldsOf(root[name], file, name))
  return {
    file,
    stores: new Map(section('stores').map(([name, value]) => [name, storeOf(value, file, name)])),
    volumes: new Map(section('volumes').map(([name, value]) => [name, volumeOf(value, file, name)])),
    defaults: optionsOf(Object.fromEntries(section('defaults')), file, 'defaults'),
    backends: section('backends').map((entry) => choiceOf(entry, file, 'backends')),
    compressors: section('compressors').map((entry) => choiceOf(entry, file, 'compressors')),
  }
}

/** The error for a key of a configuration file. */
export function invalidConfig(file: string, path: string, why: string, cause?: unknown): CliError {
  return new CliError('CONFIG_INVALID', `${file}: ${path} ${why}`, { exitCode: exitCodes.usage, cause })
}

function storeOf(value: unknown, file: string, name: string): ConfigStore {
  const path = `stores.${name}`
  if (name === '' || name.includes(':')) throw invalidConfig(file, path, 'must have a name without a colon.')
  const { url, ...options } = fieldsOf(value, file, path)
  return { url: textOf(url, file, `${path}.url`), options: optionsOf(options, file, path) }
}

function volumeOf(value: unknown, file: string, name: string): ConfigVolume {
  const path = `volumes.${name}`
  const { source, store, id, ...options } = fieldsOf(value, file, path)
  const withId = id === undefined ? {} : { 'volume-id': textOf(id, file, `${path}.id`) }
  return {
    source: fromFolder(textOf(source, file, `${path}.source`), file),
    store: store === undefined ? undefined : textOf(store, file, `${path}.store`),
    options: { ...optionsOf(options, file, path), ...withId },
  }
}

function choiceOf([name, value]: [string, unknown], file: string, section: string): PackageChoice {
  const text = textOf(value, file, `${section}.${name}`)
  return { name: name.toLowerCase(), packageName: isModulePath(text) ? fromFolder(text, file) : text }
}

function optionsOf(fields: Fields, file: string, path: string): ConfigOptions {
  for (const [name, value] of Object.entries(fields))
    if (!['string', 'number', 'boolean'].includes(typeof value))
      throw invalidConfig(file, `${path}.${name}`, 'must be a text, a number, true or false.')
  return fields as ConfigOptions
}

function fieldsOf(value: unknown, file: string, path: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw invalidConfig(file, path, 'must be an object.')
}

function textOf(value: unknown, file: string, path: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw invalidConfig(file, path, value === undefined ? 'is missing.' : 'must be a text that is not empty.')
}

/** A relative path is relative to the folder of the configuration file. */
function fromFolder(path: string, file: string): string {
  return /^(?:[\\/]|[a-z]:[\\/])/i.test(path) ? path : join(dirname(file), path)
}
