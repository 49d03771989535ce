import { BackupError, isBackupError } from '../errors/backup-error.js'
import type { BackupCatalog } from '../catalog/catalog.js'
import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import type { BackupRecord } from '../driver/types.js'
import { parseMetadata, type BackupMetadata } from '../format/metadata.js'
import { metadataObjectName } from '../format/object-names.js'
import { readStream } from '../store/read-object.js'

/** One backup of a chain, with its manifest. */
export interface ChainLayer {
  readonly record: BackupRecord
  readonly metadata: BackupMetadata
}

/** A chain, newest first, down to a full backup. Never empty. */
export type Chain = readonly [ChainLayer, ...ChainLayer[]]

/** Reads a backup's commit object, and holds it against the record that led there. */
export async function readMetadata(
  store: ObjectStore,
  record: Pick<BackupRecord, 'id' | 'container' | 'prefix'>,
  options: StoreOptions,
): Promise<BackupMetadata> {
  const objectName = metadataObjectName(record.prefix)
  const where = { container: record.container, objectName }
  const metadata = await readStream(
    store,
    record.container,
    objectName,
    { ...options, extraMetadata: null },
    (pieces) => parseMetadata(pieces, where),
  )
  if (metadata.backupId !== record.id) {
    throw new BackupError(
      'METADATA_INVALID',
      `${objectName} says that it is of backup ${metadata.backupId}, not of ${record.id}. Was it renamed?`,
      { ...where, backupId: record.id },
    )
  }
  return metadata
}

/**
 * Follows `parent_id` down to the full backup. Every layer is read and checked before anything is done with any:
 * `CHAIN_INVALID` for a parent that is not there, a loop, or a parent of another volume.
 */
export async function loadChain(
  store: ObjectStore,
  catalog: BackupCatalog,
  newest: BackupRecord,
  options: StoreOptions,
): Promise<Chain> {
  const first = await loadLayer(store, newest, newest, options)
  const rest: ChainLayer[] = []
  const seen = new Set([newest.id])
  let layer = first
  while (layer.metadata.parentId !== null) {
    const parentId = layer.metadata.parentId
    if (seen.has(parentId)) {
      throw chainError(newest, `the parents of backup ${layer.record.id} lead back to ${parentId}: a loop`)
    }
    seen.add(parentId)
    const record = await catalog.get(parentId, { ...options, nearContainer: layer.record.container })
    if (!record) {
      throw chainError(
        newest,
        `backup ${parentId}, the parent of ${layer.record.id}, is not in the store. Import its record, or bring its container back`,
      )
    }
    layer = await loadLayer(store, record, newest, options)
    if (layer.metadata.volumeId !== first.metadata.volumeId) {
      throw chainError(
        newest,
        `backup ${parentId} is of volume ${layer.metadata.volumeId}, its child of volume ${first.metadata.volumeId}`,
      )
    }
    rest.push(layer)
  }
  return [first, ...rest]
}

async function loadLayer(
  store: ObjectStore,
  record: BackupRecord,
  newest: BackupRecord,
  options: StoreOptions,
): Promise<ChainLayer> {
  try {
    return { record, metadata: await readMetadata(store, record, options) }
  } catch (error) {
    if (record !== newest && isBackupError(error, 'OBJECT_MISSING')) {
      throw chainError(newest, `backup ${record.id}, one of its parents, has no metadata any more`, error)
    }
    throw error
  }
}

function chainError(newest: BackupRecord, what: string, cause?: unknown): BackupError {
  return new BackupError('CHAIN_INVALID', `The chain of backup ${newest.id} is broken: ${what}.`, {
    backupId: newest.id,
    cause,
  })
}
