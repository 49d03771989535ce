import type { ReplayableBody } from '../contracts/object-store.js'
import { checksumOf } from './manifest-writer.js'
import type { Manifest } from './manifest.js'
import { pythonString } from './python-json.js'

/** The names in a manifest, in another store. */
export interface ManifestNames {
  /** The prefix of the backup's objects. */
  readonly prefix: string
  /** The prefix of the parent's objects; undefined for a full backup. */
  readonly parentPrefix: string | undefined
}

/** A manifest with other names, and its text. */
export interface RenamedManifest {
  readonly manifest: Manifest
  readonly body: ReplayableBody
}

/**
 * Replaces the names in a manifest: the prefix of its objects, that of its parent where it states one, and its checksum
 * where it has one. All other bytes stay as they are: unknown keys, the order of keys, the spelling of numbers.
 *
 * @param text - the text that the manifest was parsed from, without an error
 * @param from - the prefix of the names in it
 */
export async function renameManifest(
  text: Uint8Array,
  manifest: Manifest,
  from: string,
  to: ManifestNames,
): Promise<RenamedManifest> {
  const hasParent = manifest.parentPrefix !== undefined && to.parentPrefix !== undefined
  const parentPrefix = hasParent ? to.parentPrefix : manifest.parentPrefix
  const isSame = from === to.prefix && parentPrefix === manifest.parentPrefix
  const renamed: Manifest = {
    ...manifest,
    ...(parentPrefix === undefined ? {} : { parentPrefix }),
    objects: manifest.objects.map((object) => ({
      ...object,
      name: to.prefix + object.name.slice(from.length),
    })),
  }
  const values = new Map<string, string>()
  if (parentPrefix !== undefined) values.set('stowage_parent_prefix', parentPrefix)
  if (manifest.checksummed) values.set('stowage_checksum', (await checksumOf(renamed)).checksum)
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength)
  const parts = (): Iterable<Uint8Array> =>
    isSame ? [bytes] : joined(renamedParts(bytes, from, to.prefix, values))
  let lengthBytes = 0
  for (const part of parts()) {
    lengthBytes += part.length
    await new Promise(setImmediate)
  }
  const body: ReplayableBody = {
    lengthBytes,
    // eslint-disable-next-line @typescript-eslint/require-await -- all of it is in memory
    async *stream() {
      yield* parts()
    },
  }
  return { manifest: { ...renamed, textBytes: lengthBytes }, body }
}

/** @param values - the new strings of members of the document, by their keys */
function* renamedParts(
  text: Buffer,
  from: string,
  prefix: string,
  values: ReadonlyMap<string, string>,
): Generator<Uint8Array> {
  let copiedTo = 0
  for (const { start, end, key, inObjects } of stringsOf(text)) {
    const value = inObjects ? prefix + parsed(text, start, end).slice(from.length) : values.get(key)
    if (value === undefined) continue
    yield text.subarray(copiedTo, start)
    yield Buffer.from(pythonString(value))
    copiedTo = end
  }
  yield text.subarray(copiedTo)
}

/** A string of a manifest: the value of a member of the document, or a name in its list of objects. */
interface ManifestString {
  /** With its quotes. */
  readonly start: number
  readonly end: number
  /** Of the member. */
  readonly key: string
  /** Whether it is the key of an item of `objects`. */
  readonly inObjects: boolean
}

const quote = 0x22
const colon = 0x3a
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** The depth of the document's members, and that of the keys of the items of its list. */
const MEMBER_DEPTH = 1
const ITEM_DEPTH = 3

/** Scans a valid text once: a parser would lose how it is written. */
function* stringsOf(text: Buffer): Generator<ManifestString> {
  let depth = 0
  let key = ''
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at]
    if (byte === openBrace || byte === openBracket) depth += 1
    else if (byte === closeBrace || byte === closeBracket) depth -= 1
    if (byte !== quote) continue
    const start = at
    const end = endOfString(text, start)
    at = end - 1
    if (depth !== MEMBER_DEPTH && depth !== ITEM_DEPTH) continue
    const isKey = firstAfterSpace(text, end) === colon
    if (depth === MEMBER_DEPTH && isKey) key = parsed(text, start, end)
    else if (depth === MEMBER_DEPTH || (isKey && key === 'objects'))
      yield { start, end, key, inObjects: depth === ITEM_DEPTH }
  }
}

function endOfString(text: Buffer, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== quote) at += text[at] === backslash ? 2 : 1
  return at + 1
}

function firstAfterSpace(text: Buffer, start: number): number | undefined {
  let at = start
  while ((text[at] ?? quote) <= 0x20) at += 1
  return text[at]
}

function parsed(text: Buffer, start: number, end: number): string {
  return JSON.parse(text.toString('utf8', start, end)) as string
}

const PIECE_BYTES = 256 * 1024

/** Joins parts into pieces of about 256 KiB; a longer part stays one. Each piece has memory of its own. */
function* joined(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  for (const part of parts) {
    waiting.push(part)
    waitingBytes += part.length
    if (waitingBytes < PIECE_BYTES) continue
    yield Buffer.concat(waiting)
    waiting = []
    waitingBytes = 0
  }
  if (waitingBytes > 0) yield Buffer.concat(waiting)
}
