import { DocumentReader } from './document-reader.js'
import {
  IntegerField,
  JsonProblems,
  NullableTextField,
  ObjectField,
  TextField,
  TextListField,
} from './field-reader.js'
import { FORMAT_VERSION } from './format-version.js'
import { readJson } from './json-stream.js'
import { isJsonObject } from './json-value-reader.js'
import { invalidJson } from './json-subject.js'
import { checksumOf, checksumProblem } from './metadata-checksum.js'
import type { BackupMetadata } from './metadata-types.js'
import { idProblem, objectNameProblem } from './name-rules.js'
import { ObjectListReader } from './object-list-reader.js'
import { METADATA_SUFFIX, prefixOfMetadataObject } from './object-names.js'
import { StatedSizesReader } from './stated-sizes-reader.js'

/** Where a text comes from: which names it may speak of, and what its errors say. */
export interface ObjectPlace {
  readonly container: string
  readonly objectName: string
}

/**
 * Reads and checks a `_metadata` object. Every object it names is the backup's own, is named once, and lies at an
 * offset and has a length that are safe integers, within the volume where its size is known. A text that carries a
 * checksum is verified against it.
 *
 * Keys may come in any order; unknown ones are ignored. A piece may be reused once the next one is asked for.
 *
 * @throws BackupError `VERSION_UNSUPPORTED` for a version other than 1.0.0, `METADATA_INVALID` for anything else.
 */
export async function parseMetadata(
  pieces: AsyncIterable<Uint8Array>,
  context: ObjectPlace,
): Promise<BackupMetadata> {
  const problems = new JsonProblems()
  const prefix = prefixOfMetadataObject(context.objectName)
  const placeProblem = prefix === null ? `does not end with ${METADATA_SUFFIX}` : objectNameProblem(prefix)
  if (placeProblem !== null) problems.report('.', `cannot be read from an object whose name ${placeProblem}`)

  const backupId = new TextField('backup_id', problems, idProblem)
  const volumeId = new TextField('volume_id', problems, idProblem)
  const backupName = new NullableTextField('backup_name', problems)
  const backupDescription = new NullableTextField('backup_description', problems)
  const createdAt = new TextField('created_at', problems)
  const parentId = new NullableTextField('parent_id', problems, idProblem)
  const volumeMeta = new NullableTextField('volume_meta', problems)
  const extraMetadata = new ObjectField('extra_metadata', problems)
  const objects = new ObjectListReader(prefix ?? '', problems)
  const volumeSizeBytes = new IntegerField('volume_size_bytes', problems, {
    required: false,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
  })

  const checksum = new NullableTextField('stowage_checksum', problems, checksumProblem)

  const parentPrefix = new NullableTextField('stowage_parent_prefix', problems, objectNameProblem)
  const ancestorIds = new TextListField('stowage_ancestors', problems, idProblem)
  const sizesReader = new StatedSizesReader(problems)
  const document = new DocumentReader(
    [
      backupId,
      volumeId,
      backupName,
      backupDescription,
      createdAt,
      parentId,
      volumeMeta,
      extraMetadata,
      objects,
      volumeSizeBytes,
      checksum,
      parentPrefix,
      ancestorIds,
      ...sizesReader.fields,
    ],
    problems,
  )
  await readJson(pieces, document, context)
  if (volumeSizeBytes.value !== null && objects.endBytes > volumeSizeBytes.value) {
    problems.report(
      'objects',
      `reach to byte ${objects.endBytes} of a volume of ${volumeSizeBytes.value} bytes`,
    )
  }
  document.finish(context)

  const extra = extraMetadata.value
  const sizes = sizesReader.value
  const metadata: BackupMetadata = {
    version: FORMAT_VERSION,
    backupId: backupId.value,
    volumeId: volumeId.value,
    backupName: backupName.value,
    backupDescription: backupDescription.value,
    createdAt: createdAt.value,
    parentId: parentId.value,
    ...(document.has('parent_id') ? {} : { parentIdMissing: true as const }),
    ...(parentPrefix.value === null ? {} : { parentPrefix: parentPrefix.value }),
    ...(ancestorIds.value === null ? {} : { ancestorIds: ancestorIds.value }),
    volumeMeta: volumeMeta.value,
    extraMetadata: isJsonObject(extra) ? extra : null,
    objects: objects.objects,
    volumeSizeBytes: volumeSizeBytes.value,
    ...(sizes ? { sizes } : {}),
    checksummed: checksum.value !== null,
  }
  if (checksum.value === null) return metadata
  const found = await checksumOf(metadata)
  if (found === checksum.value) return metadata
  throw invalidJson(context, `its checksum is ${found}, but \`stowage_checksum\` says ${checksum.value}`)
}
