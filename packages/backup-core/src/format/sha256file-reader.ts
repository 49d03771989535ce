import { DocumentReader } from './document-reader.js'
import { IntegerField, JsonProblems, NullableTextField, TextField } from './field-reader.js'
import { HashListReader } from './hash-list-reader.js'
import type { HashList } from './hash-list.js'
import { readJson } from './json-stream.js'
import type { ObjectPlace } from './metadata-reader.js'
import { idProblem } from './name-rules.js'
import type { Sha256fileHeader } from './sha256file-types.js'

/** No block of a volume is larger than this: a TiB. */
const maxBlockSizeBytes = 2 ** 40

/** What {@link readSha256file} found. */
export interface Sha256file {
  readonly header: Sha256fileHeader
  readonly hashes: HashList
}

/**
 * Reads and checks a `_sha256file` object: 32 bytes of memory a block, whatever its size. Keys may come in any order;
 * unknown ones are ignored. A piece may be reused once the next one is asked for.
 *
 * @throws BackupError `VERSION_UNSUPPORTED` for a version other than 1.0.0, `METADATA_INVALID` for anything else.
 */
export async function readSha256file(
  pieces: AsyncIterable<Uint8Array>,
  context: ObjectPlace,
): Promise<Sha256file> {
  const problems = new JsonProblems()
  const backupId = new TextField('backup_id', problems, idProblem)
  const volumeId = new TextField('volume_id', problems, idProblem)
  const backupName = new NullableTextField('backup_name', problems)
  const backupDescription = new NullableTextField('backup_description', problems)
  const createdAt = new TextField('created_at', problems)
  const hashes = new HashListReader(problems)
  const blockSizeBytes = new IntegerField('chunk_size', problems, {
    required: true,
    min: 1,
    max: maxBlockSizeBytes,
  })

  const document = new DocumentReader(
    [backupId, volumeId, backupName, backupDescription, createdAt, hashes, blockSizeBytes],
    problems,
  )
  await readJson(pieces, document, context)
  document.finish(context)

  return {
    header: {
      backupId: backupId.value,
      volumeId: volumeId.value,
      backupName: backupName.value,
      backupDescription: backupDescription.value,
      createdAt: createdAt.value,
      blockSizeBytes: blockSizeBytes.value ?? 0,
    },
    hashes: hashes.hashes,
  }
}
