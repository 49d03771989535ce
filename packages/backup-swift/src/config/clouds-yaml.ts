import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { BackupError } from '@stowage/backup-core'
import { authParameterNames, credentialsOf, type AuthParameters, type Environment } from './environment.js'
import type { SwiftDriverOptions } from './options.js'
import { NotReadableError, readRegularFile } from './regular-file.js'
import { LineCounter, parseDocument } from 'yaml'

/** Where to look. */
export interface CloudsYamlOptions {
  /** For `OS_CLIENT_CONFIG_FILE`, `OS_CLIENT_SECURE_FILE` and `HOME`. @default process.env */
  readonly env?: Environment
  /** @default the current directory */
  readonly directory?: string
}

/**
 * The options that a cloud of clouds.yaml stands for, with what secure.yaml adds to it and, where it has a
 * `profile`, what clouds-public.yaml says. Looked for in the current directory, `~/.config/openstack` and
 * `/etc/openstack`; the first file found is the one.
 *
 * @throws `CONFIG_INVALID`, naming the clouds there are where the one asked for is not among them.
 */
export async function fromCloudsYaml(
  cloud: string,
  options: CloudsYamlOptions = {},
): Promise<SwiftDriverOptions> {
  const env = options.env ?? process.env
  const directories = [
    options.directory ?? process.cwd(),
    join(env['HOME'] ?? homedir(), '.config', 'openstack'),
    '/etc/openstack',
  ]
  const clouds = await firstOf(directories, 'clouds', env['OS_CLIENT_CONFIG_FILE'])
  if (!clouds) {
    throw new BackupError(
      'CONFIG_INVALID',
      `There is no clouds.yaml to look for the cloud ${cloud} in: not in ${directories.join(', ')}, nor by ` +
        'OS_CLIENT_CONFIG_FILE.',
    )
  }
  const list = mapAt(clouds.map, 'clouds') ?? {}
  const own = mapAt(list, cloud)
  if (!own) {
    const names = Object.keys(list).join(', ')
    throw new BackupError(
      'CONFIG_INVALID',
      `${clouds.file} has no cloud ${cloud}. It has: ${names || 'none'}.`,
    )
  }
  const secure = await firstOf([dirname(clouds.file), ...directories], 'secure', env['OS_CLIENT_SECURE_FILE'])
  const secrets = mapAt(mapAt(secure?.map ?? {}, 'clouds') ?? {}, cloud) ?? {}
  const profile = await profileOf(own, directories)
  return optionsOf(merged(merged(profile, own), secrets), `The cloud ${cloud} of ${clouds.file}`)
}

async function profileOf(cloud: TextMap, directories: readonly string[]): Promise<TextMap> {
  const name = textAt(cloud, 'profile') ?? textAt(cloud, 'cloud')
  if (name === undefined) return {}
  const file = await firstOf(directories, 'clouds-public', undefined)
  // The profiles that come with openstacksdk are not here: what is missing is found missing below.
  return mapAt(mapAt(file?.map ?? {}, 'public-clouds') ?? {}, name) ?? {}
}

function optionsOf(cloud: TextMap, whose: string): SwiftDriverOptions {
  const auth = mapAt(cloud, 'auth') ?? {}
  const parameters: { -readonly [K in keyof AuthParameters]: string } = {}
  for (const name of authParameterNames) {
    const value = textAt(auth, name) ?? textAt(cloud, name)
    if (value !== undefined) parameters[name] = value
  }
  const region = textAt(cloud, 'region_name')
  const endpointType =
    textAt(cloud, 'object_store_interface') ?? textAt(cloud, 'interface') ?? textAt(cloud, 'endpoint_type')
  const serviceName = textAt(cloud, 'object_store_service_name')
  const storageUrl = textAt(cloud, 'object_store_endpoint_override') ?? textAt(cloud, 'object_store_endpoint')
  const caCert = textAt(cloud, 'cacert')
  const [cert, key] = [textAt(cloud, 'cert'), textAt(cloud, 'key')]
  const verify = textAt(cloud, 'verify')
  const insecure = textAt(cloud, 'insecure')
  return {
    credentials: credentialsOf(parameters, whose),
    ...(region === undefined ? {} : { backupSwiftRegionName: region }),
    ...(endpointType === undefined && serviceName === undefined
      ? {}
      : { swiftCatalogInfo: `object-store:${serviceName ?? ''}:${endpointType ?? 'public'}` }),
    ...(storageUrl === undefined ? {} : { storageUrl }),
    ...(caCert === undefined ? {} : { backupSwiftCaCertFile: caCert }),
    ...(cert === undefined || key === undefined ? {} : { clientCertFile: cert, clientKeyFile: key }),
    ...(/^(?:false|no|off|0)$/i.test(verify ?? '') || /^(?:true|yes|on|1)$/i.test(insecure ?? '')
      ? { backupSwiftAuthInsecure: true }
      : {}),
  }
}

async function firstOf(
  directories: readonly string[],
  name: string,
  named: string | undefined,
): Promise<{ readonly file: string; readonly map: TextMap } | undefined> {
  const files =
    named === undefined || named === ''
      ? directories.flatMap((directory) =>
          ['yaml', 'yml', 'json'].map((end) => join(directory, `${name}.${end}`)),
        )
      : [named]
  for (const file of files) {
    const text = await readIfThere(file)
    if (text !== undefined) return { file, map: parseTextYaml(text, file) }
  }
  return undefined
}

async function readIfThere(file: string): Promise<string | undefined> {
  let bytes: Buffer
  try {
    bytes = await readRegularFile(file)
  } catch (cause) {
    if (cause instanceof NotReadableError && cause.isMissing) return undefined
    const why = cause instanceof NotReadableError ? cause.message : 'an unknown error'
    throw new BackupError('CONFIG_INVALID', `Cannot read ${file}: ${why}.`, { cause })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new BackupError('CONFIG_INVALID', `Cannot read ${file}: it is not valid UTF-8.`)
  }
}

/** A mapping whose leaves are texts: what a person wrote, `0123` and `no` included. */
export interface TextMap {
  readonly [key: string]: TextMap | string | readonly (TextMap | string)[]
}

const maxBytes = 1024 * 1024
const maxAliases = 50

/**
 * Parses YAML in which every scalar is text: a password `0123` is those four characters, and not a number. Refuses
 * tags, duplicate keys, many aliases and long files.
 *
 * @throws `CONFIG_INVALID`, with the line.
 */
export function parseTextYaml(text: string, file: string): TextMap {
  if (Buffer.byteLength(text) > maxBytes) {
    throw new BackupError('CONFIG_INVALID', `Cannot read ${file}: it is longer than ${maxBytes} bytes.`)
  }
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { schema: 'failsafe', lineCounter, prettyErrors: false, merge: true })
  const fault = document.errors[0] ?? document.warnings[0]
  if (fault) {
    const { line } = lineCounter.linePos(fault.pos[0])
    throw new BackupError(
      'CONFIG_INVALID',
      `Cannot read ${file}: line ${line}: ${meaningOf(fault.code)} (${fault.code}).`,
    )
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: maxAliases })
  } catch {
    throw new BackupError(
      'CONFIG_INVALID',
      `Cannot read ${file}: it has too many aliases, or one that is not defined.`,
    )
  }
  if (!isTextMap(value))
    throw new BackupError('CONFIG_INVALID', `${file} holds no mapping of names to values.`)
  return value
}

/** A mapping at a key; undefined where there is none. */
export function mapAt(map: TextMap, key: string): TextMap | undefined {
  const value = Object.hasOwn(map, key) ? map[key] : undefined
  return isTextMap(value) ? value : undefined
}

/** A text at a key; undefined where there is none, or an empty one. */
export function textAt(map: TextMap, key: string): string | undefined {
  const value = Object.hasOwn(map, key) ? map[key] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** One mapping over another, mapping by mapping. */
export function merged(under: TextMap, over: TextMap): TextMap {
  const result: Record<string, TextMap[string]> = Object.create(null) as Record<string, TextMap[string]>
  for (const [key, value] of [...Object.entries(under), ...Object.entries(over)]) {
    const before = result[key]
    result[key] = isTextMap(before) && isTextMap(value) ? merged(before, value) : value
  }
  return result
}

function isTextMap(value: unknown): value is TextMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a fault means. The parser's own messages quote the file, and so a password. */
function meaningOf(code: string): string {
  return meanings[code] ?? 'it is not valid YAML; a value with special characters must be in single quotes'
}

const meanings: Readonly<Record<string, string>> = {
  BAD_ALIAS:
    'it has an alias (*) that is not defined, or cannot be used; a value that begins with * must be in single quotes',
  TAG_RESOLVE_FAILED:
    'it has a tag (!), which is not read; a value that begins with ! must be in single quotes',
  DUPLICATE_KEY: 'it has the same key twice',
  TAB_AS_INDENT: 'it is indented with a tab; use spaces',
  MULTIPLE_DOCS: 'it has more than one document',
}
