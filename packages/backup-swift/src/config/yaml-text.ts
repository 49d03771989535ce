import { BackupError } from '@stowage/backup-core'
import { LineCounter, parseDocument } from 'yaml'

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
