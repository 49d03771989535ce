import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { BackupError } from '@stowage/backup-core'
import { connectionOptions, credentialsOf } from './environment.js'
import { isTrue } from '@stowage/cinder-conf'
import type { SwiftDriverOptions } from './options.js'
import { isMissingFile, readTextFile, type Environment } from '@stowage/http'
import { yaml } from './yaml.js'

/** Where clouds.yaml is searched. */
export interface CloudsYamlOptions {
  /** For `OS_CLIENT_CONFIG_FILE`, `OS_CLIENT_SECURE_FILE` and `HOME`. @default process.env */
  readonly env?: Environment
  /** @default the current directory */
  readonly directory?: string
}

/**
 * Reads the options of a cloud in clouds.yaml, merged with its secrets of secure.yaml and, if it has a `profile`, with that
 * of clouds-public.yaml. Searches the current directory, `~/.config/openstack` and `/etc/openstack`; the first file found
 * is used.
 *
 * @throws `CONFIG_INVALID`; for an unknown cloud it lists those of the file
 */
export function fromCloudsYaml(cloud: string, options: CloudsYamlOptions = {}): SwiftDriverOptions {
  const env = options.env ?? process.env
  const directories = [
    options.directory ?? process.cwd(),
    join(env['HOME'] ?? homedir(), '.config', 'openstack'),
    '/etc/openstack',
  ]
  const clouds = firstOf(directories, 'clouds', env['OS_CLIENT_CONFIG_FILE'])
  if (!clouds) {
    throw new BackupError(
      'CONFIG_INVALID',
      `Cannot find the cloud ${cloud}: no clouds.yaml in ${directories.join(', ')}, and OS_CLIENT_CONFIG_FILE is not set.`,
    )
  }
  const list = mapAt(clouds.map, 'clouds') ?? {}
  const own = mapAt(list, cloud)
  if (!own) {
    const names = Object.keys(list).join(', ')
    throw new BackupError(
      'CONFIG_INVALID',
      `${clouds.file} has no cloud ${cloud}. Its clouds: ${names || 'none'}.`,
    )
  }
  const secure = firstOf([dirname(clouds.file), ...directories], 'secure', env['OS_CLIENT_SECURE_FILE'])
  const secrets = mapAt(mapAt(secure?.map ?? {}, 'clouds') ?? {}, cloud) ?? {}
  return optionsOf(
    merged(merged(profileOf(own, directories), own), secrets),
    `The cloud ${cloud} of ${clouds.file}`,
  )
}

function profileOf(cloud: TextMap, directories: readonly string[]): TextMap {
  const name = textAt(cloud, 'profile') ?? textAt(cloud, 'cloud')
  if (name === undefined) return {}
  const file = firstOf(directories, 'clouds-public', undefined)
  // The profiles that openstacksdk brings are not included: a field that only they have is reported as missing later.
  return mapAt(mapAt(file?.map ?? {}, 'public-clouds') ?? {}, name) ?? {}
}

function optionsOf(cloud: TextMap, source: string): SwiftDriverOptions {
  const auth = mapAt(cloud, 'auth') ?? {}
  const get = (...keys: readonly string[]): string | undefined =>
    keys.map((key) => textAt(cloud, key)).find((value) => value !== undefined)
  return {
    credentials: credentialsOf((name) => textAt(auth, name) ?? get(name), source),
    ...connectionOptions({
      region: get('region_name'),
      endpointType: get('object_store_interface', 'interface', 'endpoint_type'),
      serviceName: get('object_store_service_name'),
      storageUrl: get('object_store_endpoint_override', 'object_store_endpoint'),
      caCert: get('cacert'),
      cert: get('cert'),
      key: get('key'),
      isInsecure: /^(?:false|no|off|0)$/i.test(get('verify') ?? '') || isTrue(get('insecure')),
    }),
  }
}

function firstOf(
  directories: readonly string[],
  name: string,
  path: string | undefined,
): { readonly file: string; readonly map: TextMap } | undefined {
  const files =
    path === undefined || path === ''
      ? directories.flatMap((directory) =>
          ['yaml', 'yml', 'json'].map((extension) => join(directory, `${name}.${extension}`)),
        )
      : [path]
  for (const file of files) {
    try {
      return { file, map: parseTextYaml(readTextFile(file, file, 'CONFIG_INVALID'), file) }
    } catch (error) {
      if (!isMissingFile(error)) throw error
    }
  }
  return undefined
}

/** A mapping whose leaves are strings as written, including `0123` and `no`. */
interface TextMap {
  readonly [key: string]: TextMap | string | readonly (TextMap | string)[]
}

const maxAliases = 50

/**
 * Parses YAML with every scalar as a string: a password `0123` stays those four characters. Rejects tags, duplicate keys and
 * more than 50 aliases.
 *
 * @throws `CONFIG_INVALID` with the line
 */
function parseTextYaml(text: string, file: string): TextMap {
  const { LineCounter, parseDocument } = yaml()
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
      `Cannot read ${file}: it has too many aliases, or an undefined one.`,
    )
  }
  if (!isTextMap(value))
    throw new BackupError(
      'CONFIG_INVALID',
      `Cannot read ${file}: its content is not a mapping of names to values.`,
    )
  return value
}

/** Returns the mapping at a key; undefined if there is none. */
function mapAt(map: TextMap, key: string): TextMap | undefined {
  const value = Object.hasOwn(map, key) ? map[key] : undefined
  return isTextMap(value) ? value : undefined
}

/** Returns the string at a key; undefined if there is none, or an empty one. */
function textAt(map: TextMap, key: string): string | undefined {
  const value = Object.hasOwn(map, key) ? map[key] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Merges two mappings recursively; `over` takes precedence. */
function merged(under: TextMap, over: TextMap): TextMap {
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

/** Explains an error code. The parser's own messages quote the file, which may contain a password. */
function meaningOf(code: string): string {
  return meanings[code] ?? 'it is not valid YAML; a value with special characters must be in single quotes'
}

const meanings: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'it has an undefined or unusable alias (*); a value that begins with * must be in single quotes',
  TAG_RESOLVE_FAILED:
    'it has a tag (!), which is not supported; a value that begins with ! must be in single quotes',
  DUPLICATE_KEY: 'it has the same key twice',
  TAB_AS_INDENT: 'it is indented with a tab; use spaces',
  MULTIPLE_DOCS: 'it has more than one document',
}
