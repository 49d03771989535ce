import { backupNotFound, type BackupLookup } from '../catalog/backup-lookup.js'
import { assertValidChain, loadChain, type Chain } from '../chain/chain.js'
import { checkHashList, readSha256file } from '../chain/block-hashes.js'
import type { Sha256file } from '../format/sha256file.js'
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
import { StoreAccess } from '../store/access.js'
import { assertNotBeingDeleted, backupExists, beingDeleted } from '../commit/commit-checks.js'

/** The dependencies of a backup. */
export interface PrepareDeps {
  readonly store: ObjectStore
  /** Returns a new lookup. It keeps the manifests that it read, and so is released before chunks are stored. */
  readonly openLookup: () => BackupLookup
  readonly settings: DriverSettings
  readonly onWarning: WarningListener
}

/** The backup that an incremental adds to. */
export interface Parent {
  readonly record: BackupRecord
  readonly sha256file: Sha256file
  /** The ids of its ancestors; undefined where there are too many to be stored. */
  readonly ancestorIds: readonly string[] | undefined
}

/** The sizes of a backup's chunks and blocks. */
export interface BackupSizes {
  readonly chunkSizeBytes: number
  readonly blockSizeBytes: number
}

/** A backup whose checks, other than those of the volume's bytes, have passed. */
export interface PreparedBackup extends BackupSizes {
  readonly backup: NewBackup
  /** Whether the caller chose the id, which another run may use too; a generated one is unique. */
  readonly idGiven: boolean
  readonly parent: Parent | null
  readonly volumeMeta: string | null
}

/** Checks a request, without writing anything. */
export async function prepareBackup(
  deps: PrepareDeps,
  lookup: BackupLookup,
  request: BackupRequest,
  options: StoreOptions,
): Promise<PreparedBackup> {
  const { settings } = deps
  const id = request.backupId ?? crypto.randomUUID()
  assertBackupId(id)
  assertVolumeId(request.volumeId)
  if (request.container !== undefined) assertContainerName(request.container)
  const volumeMeta = encodeVolumeMetadata(request.volumeMetadata ?? null)
  // A generated id is unique: a full backup then sends no request that it does not need.
  if (request.backupId !== undefined) {
    if (await lookup.find(id, request.container)) throw backupExists(id)
    // A delete of a backup with this id may be rolled back: there would then be two backups with one id.
    if ((await lookup.findMarkers(id)).length > 0) throw beingDeleted(id)
  }
  const parent = await findParent(deps, lookup, request, options)
  const { chunkSizeBytes, blockSizeBytes } = resolveSizes(settings, parent)
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

/** Codes of a backup that cannot be a parent; any other failure may be temporary. */
const UNUSABLE_PARENT_CODES: readonly BackupErrorCode[] = [
  'CHAIN_INVALID',
  'METADATA_INVALID',
  'OBJECT_MISSING',
  'OBJECT_CORRUPT',
]

async function findParent(
  { store, onWarning }: PrepareDeps,
  lookup: BackupLookup,
  { parent, incremental, volumeId, container }: BackupRequest,
  options: StoreOptions,
): Promise<Parent | null> {
  if (parent !== undefined && parent !== null) {
    // A record states the backup's location. Whether it exists is checked when its metadata is read.
    if (typeof parent !== 'string') return openParent(store, lookup, parent, volumeId, options)
    const found = await lookup.find(parent, container)
    if (!found) throw backupNotFound(parent)
    return openParent(store, lookup, found.record, volumeId, options)
  }
  if (!incremental) return null
  // Without a named parent, one damaged backup must not prevent every later incremental.
  for await (const record of lookup.newestFirst(volumeId, container)) {
    try {
      return await openParent(store, lookup, record, volumeId, options)
    } catch (error) {
      if (!UNUSABLE_PARENT_CODES.some((code) => isBackupError(error, code))) throw error
      onWarning({
        code: 'PARENT_PASSED_OVER',
        message: `A backup cannot be the parent, so an older one is used, or a full backup is made: ${messageAbout(error, record.id)}`,
        backupId: record.id,
      })
    }
  }
  return null
}

/**
 * Reads a parent's block hashes, and checks its chain ({@link openChain}): an incremental on a broken one could not be
 * restored.
 */
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
      `Backup ${record.id} cannot be the parent: it is of volume ${record.volumeId}, and the new backup of volume ${volumeId}.`,
      { backupId: record.id },
    )
  }
  await assertNotBeingDeleted(store, record, options)
  const chain = await openChain(lookup, record)
  const sha256file = await readSha256file(new StoreAccess(store, options), record).catch((error: unknown) => {
    if (!isBackupError(error, 'OBJECT_MISSING')) throw error
    const message = `Cannot make an incremental on backup ${record.id}: ${error.message} Delete that backup, or make a full backup.`
    throw new BackupError('OBJECT_MISSING', message, { ...error.details, backupId: record.id, cause: error })
  })
  const { kind, message, sizeBytes } = checkHashList(chain, sha256file)
  // The caller's record may be outdated, or from an incomplete chain.
  if (kind !== 'damaged') {
    const [{ manifest }, ...ancestors] = chain
    const isWhole = manifest.parentId === null || ancestors.length > 0
    const ancestorIds = isWhole ? ancestors.map((layer) => layer.record.id) : manifest.ancestorIds
    return { record: { ...record, sizeBytes }, sha256file, ancestorIds }
  }
  throw new BackupError(
    'METADATA_INVALID',
    `Cannot make an incremental on backup ${record.id}: ${message}. Make a full backup.`,
    { backupId: record.id, container: record.container, objectName: sha256fileObjectName(record.prefix) },
  )
}

/** Of longer chains only the parent's manifest is read: the cost of an incremental must not grow with its chain. */
const MAX_READ_CHAIN = 32

/**
 * Returns the chain of a parent. Of a long chain it returns only the parent, if its manifest has a checksum, the volume's size
 * and its ancestors' ids, and all of these ancestors are listed: whether their objects are complete is for a verification to
 * find out.
 */
async function openChain(lookup: BackupLookup, record: BackupRecord): Promise<Chain> {
  const parent = await lookup.open(record)
  const { checksummed, volumeSizeBytes, ancestorIds } = parent.manifest
  const isLong = ancestorIds !== undefined && ancestorIds.length >= MAX_READ_CHAIN
  const isSufficient = isLong && checksummed && volumeSizeBytes !== null
  if (isSufficient && (await lookup.areListed(ancestorIds, record.container))) return [parent]
  const chain = await loadChain(lookup, record, parent)
  assertValidChain(chain)
  return chain
}

/**
 * Returns the sizes of a backup. An incremental has its parent's block size, of which its chunk size must be a multiple. A
 * chosen block size that differs is rejected, as in Cinder.
 */
export function resolveSizes(settings: DriverSettings, parent: Parent | null): BackupSizes {
  const blockSizeBytes = parent?.sha256file.header.blockSizeBytes ?? settings.blockSizeBytes
  if (blockSizeBytes !== settings.blockSizeBytes && (settings.blockSizeGiven || settings.strict)) {
    throw new BackupError(
      'BLOCK_SIZE_CHANGED',
      `Hash block size has changed since the last backup. New hash block size: ${settings.blockSizeBytes}. Old hash block size: ${blockSizeBytes}. Do a full backup.`,
      parent ? { backupId: parent.record.id } : {},
    )
  }
  const chunkSizeBytes = fitChunkSize(settings.chunkSizeBytes, blockSizeBytes, {
    given: settings.chunkSizeGiven,
    // Cinder compares only the sizes of its configuration, as resolveSettings() does.
    strict: false,
  })
  return { chunkSizeBytes, blockSizeBytes }
}
