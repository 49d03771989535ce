import { backupNotFound, type BackupLookup } from '../catalog/backup-lookup.js'
import { assertSoundChain, loadChain, type Chain } from '../chain/chain.js'
import { checkHashList, readBlockHashes, type BlockHashes } from '../chain/volume-size.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { BackupRequest } from '../contracts/requests.js'
import { fitChunkSize, type DriverSettings } from '../settings/settings.js'
import type { BackupRecord, NewBackup } from '../contracts/records.js'
import { BackupError, isBackupError, type BackupErrorCode } from '../errors/backup-error.js'
import { messageAbout } from '../errors/error-mapper.js'
import {
  assertBackupId,
  assertContainerName,
  assertVolumeId,
  sha256fileObjectName,
} from '../format/object-names.js'
import { encodeVolumeMetadata } from '../format/volume-meta.js'
import type { WarningListener } from '../contracts/progress.js'
import { listMarkers } from '../delete/marker.js'

/** What preparing takes. */
export interface BackupMeans {
  readonly store: ObjectStore
  /** Begins a look into the catalog; it holds the manifests that it met, and so is let go of before the chunks come. */
  readonly openLookup: () => BackupLookup
  readonly settings: DriverSettings
  readonly onWarning: WarningListener
}

/** The backup that an incremental adds to. */
export interface Parent {
  readonly record: BackupRecord
  readonly blocks: BlockHashes
  /** The ids of all that it stands on; undefined where they are too many to be written down. */
  readonly ancestorIds: readonly string[] | undefined
}

/** A backup that may begin: every refusal that does not need the volume's bytes has been made. */
export interface PreparedBackup {
  readonly backup: NewBackup
  /** Whether the caller chose the id, which another run may use too; one that was made up is unique. */
  readonly idGiven: boolean
  readonly parent: Parent | null
  readonly chunkSizeBytes: number
  readonly blockSizeBytes: number
  readonly volumeMeta: string | null
}

/** Checks a request, without writing anything. */
export async function prepareBackup(
  means: BackupMeans,
  lookup: BackupLookup,
  request: BackupRequest,
  options: StoreOptions,
): Promise<PreparedBackup> {
  const { settings } = means
  const id = request.backupId ?? crypto.randomUUID()
  assertBackupId(id)
  assertVolumeId(request.volumeId)
  if (request.container !== undefined) assertContainerName(request.container)
  const volumeMeta = encodeVolumeMetadata(request.volumeMetadata ?? null)
  // An id that was made up a moment ago is nobody's: a full backup then asks the store for nothing that it does not use.
  if (request.backupId !== undefined) {
    if (await lookup.find(id, request.container)) throw backupExists(id)
    // That delete may be taken back: there would be two backups of the id.
    if ((await lookup.findMarkers(id)).length > 0) throw beingDeleted(id)
  }
  const parent = await findParent(means, lookup, request, options)
  const { chunkSizeBytes, blockSizeBytes } = agreeOnSizes(settings, parent)
  const createdAt = settings.clock()
  createdAt.setUTCMilliseconds(0)
  return {
    backup: {
      id,
      volumeId: request.volumeId,
      parentId: parent?.record.id ?? null,
      container: request.container ?? null,
      name: request.name ?? null,
      description: request.description ?? null,
      createdAt,
    },
    idGiven: request.backupId !== undefined,
    parent,
    chunkSizeBytes,
    blockSizeBytes,
    volumeMeta,
  }
}

/** The error for an id that a committed backup has. */
export function backupExists(backupId: string): BackupError {
  return new BackupError(
    'BACKUP_EXISTS',
    `There is a backup ${backupId} already. Choose another id, or none to get a new one.`,
    { backupId },
  )
}

/** What makes a backup unfit to be a parent; all else that fails may be otherwise at the next try. */
const UNFIT: readonly BackupErrorCode[] = [
  'CHAIN_INVALID',
  'METADATA_INVALID',
  'OBJECT_MISSING',
  'OBJECT_CORRUPT',
]

/** The error for an id of which a backup is being deleted. */
export function beingDeleted(backupId: string): BackupError {
  return new BackupError(
    'CONFLICT',
    `Backup ${backupId} is being deleted, or its delete was interrupted. Delete it again to finish that, or choose another id.`,
    { backupId },
  )
}

async function findParent(
  { store, onWarning }: BackupMeans,
  lookup: BackupLookup,
  { parent, incremental, volumeId, container }: BackupRequest,
  options: StoreOptions,
): Promise<Parent | null> {
  if (parent !== undefined && parent !== null) {
    // A record says where the backup is; that it is there is seen when its metadata is read.
    if (typeof parent !== 'string') return openParent(store, lookup, parent, volumeId, options)
    const found = await lookup.find(parent, container)
    if (!found) throw backupNotFound(parent)
    return openParent(store, lookup, found.record, volumeId, options)
  }
  if (!incremental) return null
  // The caller named none: one damaged backup must not stop every later incremental.
  for await (const record of lookup.newestFirst(volumeId, container)) {
    try {
      return await openParent(store, lookup, record, volumeId, options)
    } catch (error) {
      if (!UNFIT.some((code) => isBackupError(error, code))) throw error
      onWarning({
        code: 'PARENT_PASSED_OVER',
        message: `A backup is passed over as the parent, for an older one or a full backup: ${messageAbout(error, record.id)}`,
        backupId: record.id,
      })
    }
  }
  return null
}

/** Reads what the comparison needs, and makes sure of the whole chain: an incremental on a broken one could not be restored. */
async function openParent(
  store: ObjectStore,
  lookup: BackupLookup,
  record: BackupRecord,
  volumeId: string,
  options: StoreOptions,
): Promise<Parent> {
  if (record.volumeId !== volumeId) {
    throw new BackupError(
      'CHAIN_INVALID',
      `Backup ${record.id} is of volume ${record.volumeId} and cannot be the parent of one of volume ${volumeId}.`,
      { backupId: record.id },
    )
  }
  await assertNotBeingDeleted(store, record, options)
  const chain = await openChain(lookup, record)
  const blocks = await readBlockHashes(store, record, options).catch((error: unknown) => {
    if (!isBackupError(error, 'OBJECT_MISSING')) throw error
    const message = `Cannot make an incremental on backup ${record.id}: ${error.message} Delete that backup, or do a full backup.`
    throw new BackupError('OBJECT_MISSING', message, { ...error.details, backupId: record.id, cause: error })
  })
  const { kind, message, sizeBytes } = checkHashList(chain, blocks)
  // The caller's record may be old, or of a chain that was not found whole.
  if (kind !== 'damaged') {
    const [{ metadata }, ...ancestors] = chain
    const isWhole = metadata.parentId === null || ancestors.length > 0
    const ancestorIds = isWhole ? ancestors.map((layer) => layer.record.id) : metadata.ancestorIds
    return { record: { ...record, sizeBytes }, blocks, ancestorIds }
  }
  throw new BackupError(
    'METADATA_INVALID',
    `Cannot make an incremental on backup ${record.id}: ${message}. Do a full backup.`,
    { backupId: record.id, container: record.container, objectName: sha256fileObjectName(record.prefix) },
  )
}

/** Of chains that are longer, only the parent's manifest is read: the cost of an incremental must not grow with its chain. */
const LONGEST_READ_CHAIN = 32

/**
 * The chain of a parent. Of a long one the parent alone, where its manifest has a checksum, the size, and the ids of its
 * ancestors, and the names in the store show that those are there: that they are whole is for a verification to say.
 */
async function openChain(lookup: BackupLookup, record: BackupRecord): Promise<Chain> {
  const parent = await lookup.open(record)
  const { checksummed, volumeSizeBytes, ancestorIds } = parent.metadata
  const isLong = ancestorIds !== undefined && ancestorIds.length >= LONGEST_READ_CHAIN
  const saysEnough = isLong && checksummed && volumeSizeBytes !== null
  if (saysEnough && (await lookup.areListed(ancestorIds, record.container))) return [parent]
  const chain = await loadChain(lookup, record, parent)
  assertSoundChain(chain)
  return chain
}

/**
 * An incremental has its parent's block size, which its chunk size is checked against. A block size that was chosen and
 * differs is refused, as in Cinder.
 */
export function agreeOnSizes(
  settings: DriverSettings,
  parent: Parent | null,
): { chunkSizeBytes: number; blockSizeBytes: number } {
  const blockSizeBytes = parent?.blocks.header.blockSizeBytes ?? settings.blockSizeBytes
  if (blockSizeBytes !== settings.blockSizeBytes && (settings.blockSizeGiven || settings.strict)) {
    throw new BackupError(
      'BLOCK_SIZE_CHANGED',
      `Hash block size has changed since the last backup. New hash block size: ${settings.blockSizeBytes}. Old hash block size: ${blockSizeBytes}. Do a full backup.`,
      parent ? { backupId: parent.record.id } : {},
    )
  }
  const chunkSizeBytes = fitChunkSize(settings.chunkSizeBytes, blockSizeBytes, {
    given: settings.chunkSizeGiven,
    // Cinder compares the pair of its configuration alone, as the settings do.
    strict: false,
  })
  return { chunkSizeBytes, blockSizeBytes }
}

/**
 * Refuses a parent that has the marker of a delete, running or interrupted: the delete may go on at any time.
 *
 * @throws `CHAIN_INVALID`
 */
export async function assertNotBeingDeleted(
  store: ObjectStore,
  parent: BackupRecord,
  options: StoreOptions,
): Promise<void> {
  const { readable, damaged } = await listMarkers({ store, options }, parent)
  if (readable.length + damaged.length === 0) return
  throw new BackupError(
    'CHAIN_INVALID',
    `The parent, backup ${parent.id}, is being deleted, or its delete was interrupted. ` +
      'Delete it again to finish that, or make the incremental on another backup.',
    { backupId: parent.id, container: parent.container },
  )
}
