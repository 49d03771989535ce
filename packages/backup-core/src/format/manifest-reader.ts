import {
  decodeUtf8,
  Fields,
  FORMAT_VERSION,
  invalidJson,
  isJsonObject,
  parseDecoded,
  shownJson,
  type JsonSubject,
} from './json.js'
import { readListDocument } from './list-document.js'
import { checksumOf, checksumProblem } from './manifest-writer.js'
import type { Manifest, StatedSizes, StoredObject } from './manifest.js'
import {
  dataObjectName,
  idProblem,
  isChunkSuffix,
  maxObjectNameBytes,
  METADATA_SUFFIX,
  objectNameProblem,
  prefixOfManifestObject,
  quoted,
} from './object-names.js'

/** The location of a text, which determines the names that it may contain, and its errors. */
export interface ObjectLocation {
  readonly container: string
  readonly objectName: string
}

/**
 * Reads and checks a `_metadata` object. Every object that it names belongs to the backup, is named once, and has an
 * offset and a length that are safe integers, within the volume where its size is known. A text with a checksum is verified
 * against it.
 *
 * Keys may come in any order; unknown ones are ignored. A piece may be reused once the next one is requested.
 *
 * @throws BackupError `VERSION_UNSUPPORTED` for a version other than 1.0.0, `METADATA_INVALID` for anything else.
 */
export async function parseManifest(
  pieces: AsyncIterable<Uint8Array>,
  context: ObjectLocation,
): Promise<Manifest> {
  const prefix = prefixOfManifestObject(context.objectName)
  const objects = new ObjectList(prefix ?? '', context)
  const document = await readListDocument(pieces, {
    listKey: 'objects',
    onItem: (bytes, start, end) => {
      objects.addText(bytes.subarray(start, end))
    },
    tryFastPath: (bytes, start) => objects.addInCinderLayout(bytes, start),
    subject: context,
  })
  const fields = Fields.ofDocument(document, context)
  const placeProblem = prefix === null ? `does not end with ${METADATA_SUFFIX}` : objectNameProblem(prefix)
  if (placeProblem !== null) fields.report('.', `cannot be read from an object whose name ${placeProblem}`)
  const parentPrefix = fields.nullableText('stowage_parent_prefix', objectNameProblem)
  const ancestorIds = fields.nullableTexts('stowage_ancestors', idProblem)
  const checksum = fields.nullableText('stowage_checksum', checksumProblem)
  const sizes = statedSizes(fields)
  const manifest: Manifest = {
    version: FORMAT_VERSION,
    backupId: fields.text('backup_id', idProblem),
    volumeId: fields.text('volume_id', idProblem),
    backupName: fields.nullableText('backup_name'),
    backupDescription: fields.nullableText('backup_description'),
    createdAt: fields.text('created_at'),
    parentId: fields.nullableText('parent_id', idProblem),
    ...(fields.has('parent_id') ? {} : { parentIdMissing: true as const }),
    ...(parentPrefix === null ? {} : { parentPrefix }),
    ...(ancestorIds === null ? {} : { ancestorIds }),
    volumeMeta: fields.nullableText('volume_meta'),
    extraMetadata: fields.nullableObject('extra_metadata'),
    objects: objects.objects,
    volumeSizeBytes: fields.nullableInteger('volume_size_bytes', 0),
    ...(sizes ? { sizes } : {}),
    checksummed: checksum !== null,
  }
  fields.list('objects', document, objects.problem)
  const { volumeSizeBytes } = manifest
  if (volumeSizeBytes !== null && objects.endBytes > volumeSizeBytes) {
    fields.report('objects', `reach to byte ${objects.endBytes} of a volume of ${volumeSizeBytes} bytes`)
  }
  fields.finish()
  if (checksum === null) return manifest
  const { checksum: found } = await checksumOf(manifest)
  if (found === checksum) return manifest
  throw invalidJson(context, `its checksum is ${found}, but \`stowage_checksum\` is ${checksum}`)
}

/** Undefined where one of the keys is missing. */
function statedSizes(fields: Fields): StatedSizes | undefined {
  const chunkSizeBytes = fields.nullableInteger('stowage_chunk_size_bytes', 1)
  const blockSizeBytes = fields.nullableInteger('stowage_block_size_bytes', 1)
  const storedDataBytes = fields.nullableInteger('stowage_data_bytes', 0)
  const sha256fileBytes = fields.nullableInteger('stowage_sha256file_bytes', 0)
  if (chunkSizeBytes === null || blockSizeBytes === null) return undefined
  if (storedDataBytes === null || sha256fileBytes === null) return undefined
  return { chunkSizeBytes, blockSizeBytes, storedDataBytes, sha256fileBytes }
}

const md5Pattern = /^[0-9a-f]{32}$/i

/**
 * An item as `json.dumps(sort_keys=True)` writes it, of ASCII, up to the end of its MD5 and after it. JSON.parse takes
 * three times as long, because each item has a key of its own.
 */
const usualStart =
  /\{[ \n]*"([ !#-[\]-~]+)": *\{[ \n]*"compression": *"(\w+)",[ \n]*"length": *([1-9]\d{0,14}),[ \n]*"md5": *"[0-9a-f]{32}/y
const usualEnd = /",[ \n]*"offset": *(0|[1-9]\d{0,14})[ \n]*\}[ \n]*\}/y
const md5Length = 32

/** Collects the items of `objects`: maps with one key, `{name: {compression, length, md5, offset}}`. */
class ObjectList {
  readonly objects: StoredObject[] = []
  /** The end of the furthest object. */
  endBytes = 0
  /** The problem of the first bad item. */
  problem: string | undefined
  readonly #prefixBytes: number
  readonly #algorithms = new Map<string, string>()
  /** The bytes that {@link addInCinderLayout} read last, and their text. */
  #piece: Buffer | undefined
  #pieceText = ''
  #count = 0
  /** The highest number so far, while names come in rising order: then none can be repeated. */
  #lastNumber = 0
  #names: Set<string> | undefined

  constructor(
    private readonly prefix: string,
    private readonly subject: JsonSubject,
  ) {
    this.#prefixBytes = Buffer.byteLength(prefix)
  }

  /** Adds the item at `start` if it has the usual form. Returns the offset of its end, else 0. */
  addInCinderLayout(bytes: Buffer, start: number): number {
    if (bytes !== this.#piece) {
      this.#piece = bytes
      this.#pieceText = bytes.toString('latin1')
    }
    usualStart.lastIndex = start
    const [, name, compression, length] = usualStart.exec(this.#pieceText) ?? []
    if (name === undefined) return 0
    usualEnd.lastIndex = usualStart.lastIndex
    const [, offset] = usualEnd.exec(this.#pieceText) ?? []
    if (offset === undefined) return 0
    this.#count += 1
    // From the bytes: a part of the text would keep all of the text in memory.
    const md5 = bytes.toString('latin1', usualStart.lastIndex - md5Length, usualStart.lastIndex)
    this.#addObject(this.#checkedName(name), Number(offset), Number(length), compression ?? '', md5)
    return usualEnd.lastIndex
  }

  /** Adds an item in any form. */
  addText(bytes: Buffer): void {
    this.#count += 1
    const entry = parseDecoded(decodeUtf8(bytes, this.subject), this.subject)
    if (!isJsonObject(entry)) {
      this.#report('', `must be an object, but is ${shownJson(entry)}`)
      return
    }
    const [name, ...others] = Object.keys(entry)
    if (name === undefined || others.length > 0) {
      const count = name === undefined ? 0 : others.length + 1
      this.#report('', `must have one key, an object's name, but has ${count}`)
      return
    }
    const value = entry[name]
    if (!isJsonObject(value)) {
      this.#report(`.${quoted(name)}`, `must be an object, but is ${shownJson(value)}`)
      return
    }
    const known = this.#checkedName(name)
    const path = `objects[${this.#count - 1}].${quoted(name)}.`
    const fields = new Fields(value, this.subject, undefined, path)
    const md5 = fields.nullableText('md5', (text) =>
      md5Pattern.test(text) ? null : 'must be 32 hex digits or null',
    )
    const compression = fields.text('compression')
    const [lengthBytes, offsetBytes] = [fields.integer('length', 0), fields.integer('offset', 0)]
    this.problem ??= fields.problem
    this.#addObject(known, offsetBytes, lengthBytes, compression, md5?.toLowerCase() ?? null)
  }

  #addObject(
    name: string,
    offsetBytes: number,
    lengthBytes: number,
    algorithm: string,
    md5: string | null,
  ): void {
    // One string for each algorithm, not one for each object.
    const compression = this.#algorithms.get(algorithm) ?? algorithm.toLowerCase()
    if (this.#algorithms.size < 100) this.#algorithms.set(algorithm, compression)
    if (compression === '' || compression.length > 64)
      this.#report(`.${quoted(name)}.compression`, 'must be the name of a compression algorithm')
    const endBytes = offsetBytes + lengthBytes
    if (!Number.isSafeInteger(endBytes))
      this.#report(`.${quoted(name)}`, 'ends beyond what JavaScript counts exactly')
    this.endBytes = Math.max(this.endBytes, endBytes)
    // A text that is rejected in the end need not be held until then.
    if (this.problem === undefined) this.objects.push({ name, offsetBytes, lengthBytes, compression, md5 })
  }

  #checkedName(name: string): string {
    const { prefix } = this
    const suffix = name.startsWith(prefix) ? name.slice(prefix.length) : ''
    if (!isChunkSuffix(suffix) || this.#prefixBytes + suffix.length > maxObjectNameBytes) {
      const expected = `${quoted(prefix)}, \`-\` and at least five digits`
      this.#report('', `names ${quoted(name)}; the objects of this backup are ${expected}`)
      return name
    }
    const number = Number(suffix.slice(1))
    const canonical = number > 0 ? dataObjectName('', number) : undefined
    if (this.#names === undefined && number > this.#lastNumber && suffix === canonical)
      this.#lastNumber = number
    else if (this.#isRepeated(name)) this.#report('', `names ${quoted(name)} a second time`)
    // The prefix and a short suffix joined take half of the memory of the string that was parsed, until they are flattened.
    return canonical === suffix ? prefix + canonical : name
  }

  #isRepeated(name: string): boolean {
    this.#names ??= new Set(this.objects.map((object) => object.name))
    if (this.#names.has(name)) return true
    this.#names.add(name)
    return false
  }

  #report(path: string, problem: string): void {
    this.problem ??= `\`objects[${this.#count - 1}]${path}\` ${problem}`
  }
}
