import type { JsonValue } from '../contracts/records.js'
import type { BackupMetadata, StoredObject } from './metadata.js'
import { dumpAt, pythonString } from './python-json.js'
import { createHash } from 'node:crypto'
import type { ReplayableBody } from '../contracts/object-store.js'

/** A piece is yielded as soon as it has this many bytes. */
const pieceBytes = 256 * 1024

/**
 * Joins ASCII text into pieces of 256 KiB or a little more. All pieces share one buffer: each is valid until the next one
 * is requested.
 */
export function* asciiPieces(texts: Iterable<string>): Generator<Uint8Array> {
  let buffer = Buffer.allocUnsafe(pieceBytes)
  let length = 0
  for (const text of texts) {
    if (length > 0 && length + text.length > buffer.length) {
      yield buffer.subarray(0, length)
      length = 0
    }
    if (text.length > buffer.length) buffer = Buffer.allocUnsafe(text.length)
    length += buffer.write(text, length, 'latin1')
  }
  if (length > 0) yield buffer.subarray(0, length)
}

/** Yields the pieces of a synchronous generator, each made when it is requested. */
export function asyncPieces(make: () => Generator<Uint8Array>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const pieces = make()
      return {
        next: () =>
          new Promise((resolve) => {
            resolve(pieces.next())
          }),
        return: () => {
          pieces.return(undefined)
          return Promise.resolve({ done: true, value: undefined })
        },
      }
    },
  }
}

/** As Cinder calls `json.dumps`: `sort_keys=True, indent=2`. */
const cinderLayout = { indent: 2, sortKeys: true } as const

/**
 * The `_metadata` object's text in parts, byte for byte as Cinder writes it, but for the keys that are our own.
 *
 * @param checksum - what the text says its checksum is; null leaves the key out
 */
export function* metadataTexts(metadata: BackupMetadata, checksum: string | null): Generator<string> {
  const { extraMetadata: extra, sizes } = metadata
  yield '{\n'
  yield member('backup_description', metadata.backupDescription)
  yield member('backup_id', metadata.backupId)
  yield member('backup_name', metadata.backupName)
  yield member('created_at', metadata.createdAt)
  if (extra !== null && Object.keys(extra).length > 0) yield member('extra_metadata', extra)
  yield* objectListTexts(metadata.objects)
  yield member('parent_id', metadata.parentId)
  if (metadata.ancestorIds !== undefined) yield member('stowage_ancestors', [...metadata.ancestorIds])
  // In the order of their code points, as Python sorts keys.
  if (sizes) yield member('stowage_block_size_bytes', sizes.blockSizeBytes)
  if (checksum !== null) yield member('stowage_checksum', checksum)
  if (sizes) {
    yield member('stowage_chunk_size_bytes', sizes.chunkSizeBytes)
    yield member('stowage_data_bytes', sizes.storedDataBytes)
  }
  if (metadata.parentPrefix !== undefined) yield member('stowage_parent_prefix', metadata.parentPrefix)
  if (sizes) yield member('stowage_sha256file_bytes', sizes.sha256fileBytes)
  yield member('version', metadata.version)
  yield member('volume_id', metadata.volumeId)
  if (metadata.volumeSizeBytes === null) {
    yield lastMember('volume_meta', metadata.volumeMeta)
  } else {
    yield member('volume_meta', metadata.volumeMeta)
    yield lastMember('volume_size_bytes', metadata.volumeSizeBytes)
  }
  yield '}'
}

function* objectListTexts(objects: readonly StoredObject[]): Generator<string> {
  if (objects.length === 0) {
    yield '  "objects": [],\n'
    return
  }
  yield '  "objects": [\n'
  const last = objects.length - 1
  for (const [index, object] of objects.entries()) {
    yield `    {
      ${nameText(object.name)}: {
        "compression": ${pythonString(object.compression.toLowerCase())},
        "length": ${object.lengthBytes},
        "md5": ${object.md5 === null ? 'null' : pythonString(object.md5)},
        "offset": ${object.offsetBytes}
      }
    }${index === last ? '\n' : ',\n'}`
  }
  yield '  ],\n'
}

/**
 * A name in quotes. Names that a reader made are two strings joined, which take half of the memory until they are looked
 * into; so it is a copy that is looked into.
 */
function nameText(name: string): string {
  return `"${pythonString(` ${name}`).slice(2)}`
}

function member(key: string, value: JsonValue): string {
  return `  "${key}": ${dumpAt(value, cinderLayout, 1)},\n`
}

function lastMember(key: string, value: JsonValue): string {
  return `  "${key}": ${dumpAt(value, cinderLayout, 1)}\n`
}

/** What a manifest's checksum looks like. */
const checksumPattern = /^sha256:[0-9a-f]{64}$/

/** How many pieces of 256 KiB are hashed before other work gets its turn: some milliseconds. */
const PIECES_IN_TURN = 16

/** What is wrong with a checksum, whatever it is of; null if nothing is. */
export function checksumProblem(text: string): string | null {
  return checksumPattern.test(text) ? null : 'must be `sha256:` and 64 lower-case hex digits'
}

/**
 * The checksum of a manifest: the SHA-256 of the text that Stowage writes for its values, without the checksum's own key.
 * White space and the order of keys do not count, nor do keys that Stowage does not know.
 */
export async function checksumOf(metadata: BackupMetadata): Promise<string> {
  const hash = createHash('sha256')
  let pieces = 0
  for (const piece of asciiPieces(metadataTexts(metadata, null))) {
    hash.update(piece)
    pieces += 1
    if (pieces % PIECES_IN_TURN === 0) await new Promise(setImmediate)
  }
  return `sha256:${hash.digest('hex')}`
}

/** The same, for the writer: it counts the text's bytes in the same pass. */
export function checksumAndLength(metadata: BackupMetadata): { checksum: string; lengthBytes: number } {
  const hash = createHash('sha256')
  let lengthBytes = 0
  for (const piece of asciiPieces(metadataTexts(metadata, null))) {
    hash.update(piece)
    lengthBytes += piece.length
  }
  return { checksum: `sha256:${hash.digest('hex')}`, lengthBytes }
}

/**
 * The `_metadata` object, byte for byte as Cinder writes it. It is made as it is read, so that a list of millions of
 * objects is never a string. The list of objects must not change until the body has been sent.
 *
 * `volume_size_bytes` and those that begin with `stowage_` are our own: Cinder ignores keys that it does not know.
 */
export function metadataBody(metadata: BackupMetadata): ReplayableBody {
  // A first pass counts the text, and sums it.
  const { checksum, lengthBytes } = checksumAndLength(metadata)
  const written = metadata.checksummed ? checksum : null
  return {
    lengthBytes: lengthBytes + checksumMemberBytes(written),
    stream: () => asyncPieces(() => asciiPieces(metadataTexts(metadata, written))),
  }
}

function checksumMemberBytes(checksum: string | null): number {
  return checksum === null ? 0 : `  "stowage_checksum": "${checksum}",\n`.length
}
