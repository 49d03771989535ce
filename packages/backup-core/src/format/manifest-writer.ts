import type { JsonValue } from '../contracts/records.js'
import type { Manifest, StoredObject } from './manifest.js'
import { pythonDumps, pythonString } from './python-json.js'
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

/**
 * The `_metadata` object's text in parts, in the layout that Cinder writes, with additional keys of Stowage.
 *
 * @param checksum - what the text says its checksum is; null leaves the key out
 */
export function* metadataTexts(manifest: Manifest, checksum: string | null): Generator<string> {
  const { extraMetadata: extra, sizes } = manifest
  yield '{\n'
  yield members({
    backup_description: manifest.backupDescription,
    backup_id: manifest.backupId,
    backup_name: manifest.backupName,
    created_at: manifest.createdAt,
    extra_metadata: extra !== null && Object.keys(extra).length > 0 ? extra : undefined,
  })
  yield* objectListTexts(manifest.objects)
  // In the order of their code points, as Python sorts keys.
  const rest = members({
    parent_id: manifest.parentId,
    stowage_ancestors: manifest.ancestorIds,
    stowage_block_size_bytes: sizes?.blockSizeBytes,
    stowage_checksum: checksum ?? undefined,
    stowage_chunk_size_bytes: sizes?.chunkSizeBytes,
    stowage_data_bytes: sizes?.storedDataBytes,
    stowage_parent_prefix: manifest.parentPrefix,
    stowage_sha256file_bytes: sizes?.sha256fileBytes,
    version: manifest.version,
    volume_id: manifest.volumeId,
    volume_meta: manifest.volumeMeta,
    volume_size_bytes: manifest.volumeSizeBytes ?? undefined,
  })
  // The last one has no comma.
  yield `${rest.slice(0, -2)}\n}`
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
 * A name in quotes. The names that a reader made are joined strings, which V8 keeps as ropes in half of the memory. Scanning
 * one would flatten it for good: a copy is scanned.
 */
function nameText(name: string): string {
  return `"${pythonString(` ${name}`).slice(2)}`
}

/** The lines of members, as Cinder calls `json.dumps` (`sort_keys=True, indent=2`). Those that are undefined are left out. */
function members(values: Readonly<Record<string, JsonValue | undefined>>): string {
  return Object.entries(values)
    .map(([key, value]) =>
      value === undefined
        ? ''
        : `  "${key}": ${pythonDumps(value, { indent: 2, sortKeys: true, level: 1 })},\n`,
    )
    .join('')
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
 * The checksum of a manifest: the SHA-256 of the text that Stowage writes for its values, without the checksum's own key;
 * and the length of that text. White space and the order of keys do not count, nor do keys that Stowage does not know.
 */
export async function checksumOf(manifest: Manifest): Promise<{ checksum: string; lengthBytes: number }> {
  const hash = createHash('sha256')
  let lengthBytes = 0
  let pieces = 0
  for (const piece of asciiPieces(metadataTexts(manifest, null))) {
    hash.update(piece)
    lengthBytes += piece.length
    pieces += 1
    if (pieces % PIECES_IN_TURN === 0) await new Promise(setImmediate)
  }
  return { checksum: `sha256:${hash.digest('hex')}`, lengthBytes }
}

/**
 * The `_metadata` object, in the layout that Cinder writes. It is made as it is read, so that a list of millions of objects
 * is never a string. The list of objects must not change until the body has been sent.
 *
 * `volume_size_bytes` and the keys that begin with `stowage_` are ours: Cinder ignores keys that it does not know.
 */
export async function manifestBody(manifest: Manifest): Promise<ReplayableBody> {
  const { checksum, lengthBytes } = await checksumOf(manifest)
  const written = manifest.checksummed ? checksum : null
  return {
    lengthBytes: lengthBytes + (written === null ? 0 : members({ stowage_checksum: written }).length),
    // eslint-disable-next-line @typescript-eslint/require-await -- it is made in memory
    async *stream() {
      yield* asciiPieces(metadataTexts(manifest, written))
    },
  }
}
