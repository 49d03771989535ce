import type { ReplayableBody } from '../driver/object-io.js'
import { asciiPieces, asyncPieces } from './body-pieces.js'
import type { JsonValue } from './json-value.js'
import type { BackupMetadata, StoredObject } from './metadata-types.js'
import { dumpAt, pythonString } from './python-json.js'

/** As Cinder calls `json.dumps`: `sort_keys=True, indent=2`. */
const cinderLayout = { indent: 2, sortKeys: true } as const

/**
 * The `_metadata` object, byte for byte as Cinder writes it. It is made as it is read, so that a list of millions of
 * objects is never a string.
 *
 * `volume_size_bytes` is our own: Cinder ignores keys that it does not know.
 */
export function metadataBody(metadata: BackupMetadata): ReplayableBody {
  // The list is written once to count it; its items must not change until the body has been sent.
  const objects = metadata.objects
  let lengthBytes = 0
  for (const text of metadataTexts(metadata, objects)) lengthBytes += text.length
  return {
    lengthBytes,
    stream: () => asyncPieces(() => asciiPieces(metadataTexts(metadata, objects))),
  }
}

function* metadataTexts(metadata: BackupMetadata, objects: readonly StoredObject[]): Generator<string> {
  const extra = metadata.extraMetadata
  yield '{\n'
  yield member('backup_description', metadata.backupDescription)
  yield member('backup_id', metadata.backupId)
  yield member('backup_name', metadata.backupName)
  yield member('created_at', metadata.createdAt)
  if (extra !== null && Object.keys(extra).length > 0) yield member('extra_metadata', extra)
  yield* objectListTexts(objects)
  yield member('parent_id', metadata.parentId)
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
      ${pythonString(object.name)}: {
        "compression": ${pythonString(object.compression)},
        "length": ${object.lengthBytes},
        "md5": ${object.md5 === null ? 'null' : pythonString(object.md5)},
        "offset": ${object.offsetBytes}
      }
    }${index === last ? '\n' : ',\n'}`
  }
  yield '  ],\n'
}

function member(key: string, value: JsonValue): string {
  return `  "${key}": ${dumpAt(value, cinderLayout, 1)},\n`
}

function lastMember(key: string, value: JsonValue): string {
  return `  "${key}": ${dumpAt(value, cinderLayout, 1)}\n`
}
