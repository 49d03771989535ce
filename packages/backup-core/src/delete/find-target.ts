import { backupNotFound, type BackupLookup } from '../catalog/backup-lookup.js'
import type { BackupCatalog, BackupReference } from '../contracts/records.js'
import { findLeftBehind, isUnreadable, type MarkerPlace } from '../catalog/store-places.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import type { PrefixParser } from '../format/backup-prefix.js'
import { metadataObjectName } from '../format/object-names.js'
import { listBackupObjects, readBytes } from '../store/objects.js'
import {
  listMarkers,
  parseIfReadable,
  readMarker,
  type BackupPlace,
  type Markers,
  type StoreAccess,
} from './marker.js'

/** A backup to delete, as far as it is known. */
export interface DeleteTarget extends BackupPlace {
  /** Undefined where its metadata cannot be read. */
  readonly volumeId?: string
  readonly objectCount?: number
  /** The marker of the delete, once it is written. */
  readonly markerName?: string
}

/** At least one backup to delete. */
export type DeleteTargets = readonly [DeleteTarget, ...DeleteTarget[]]

/** Where backups to delete are searched. */
export interface TargetSearch {
  readonly store: ObjectStore
  /** Returns a new lookup, which has not listed anything yet. */
  readonly openLookup: () => BackupLookup
  /** The caller's catalog; undefined where the store's own `_metadata` objects are the catalog. */
  readonly ownCatalog: BackupCatalog | undefined
  readonly prefixes: () => PrefixParser
}

/**
 * Finds what to delete for a reference: a committed backup; one whose delete did not finish, by its marker; with `force`
 * also one whose metadata is damaged, or of which only objects are left, by its prefix.
 *
 * @throws `BACKUP_NOT_FOUND`, `METADATA_INVALID` and others for metadata that cannot be read
 */
export async function findTargets(
  search: TargetSearch,
  reference: BackupReference,
  force: boolean,
  options: StoreOptions,
): Promise<DeleteTargets> {
  if (typeof reference !== 'string') return [reference]
  const lookup = search.openLookup()
  let unreadable: BackupError | undefined
  try {
    const record = search.ownCatalog
      ? await search.ownCatalog.get(reference, options)
      : (await lookup.find(reference))?.record
    if (record) return [record]
  } catch (error) {
    if (!isUnreadable(error)) throw error
    unreadable = error
  }
  // Of a backup whose `_metadata` exists and is damaged, markers are not read.
  for (const marker of unreadable ? [] : await lookup.findMarkers(reference)) {
    try {
      const target = await targetOfMarker({ store: search.store, options }, marker)
      if (target) return [target]
    } catch (error) {
      if (!isUnreadable(error)) throw error
      unreadable ??= error
    }
  }
  if (unreadable && !force) throw requiresForce(unreadable)
  const [first, ...rest] = force ? await targetsByPrefix(search, reference, options) : []
  if (!first) throw unreadable ?? backupNotFound(reference)
  return [first, ...rest]
}

async function targetOfMarker(access: StoreAccess, place: MarkerPlace): Promise<DeleteTarget | undefined> {
  const marker = await readMarker(access, place)
  // That delete has ended since it was listed.
  if (!marker) return undefined
  const target = { id: place.backupId, container: place.container, prefix: marker.prefix }
  // Undefined for a backup that was deleted with `force`.
  const metadata = await parseIfReadable(marker.metadata, target)
  return metadata ? { ...target, volumeId: metadata.volumeId, objectCount: metadata.objects.length } : target
}

/** Finds the prefixes of an id, whichever of their objects exist. */
async function targetsByPrefix(
  { store, prefixes }: TargetSearch,
  backupId: string,
  options: StoreOptions,
): Promise<DeleteTarget[]> {
  const targets: DeleteTarget[] = []
  const parser = prefixes()
  for await (const { container, prefix } of findLeftBehind(store, options)) {
    const parsed = parser.parse(prefix)
    if (parsed?.kind === 'backup' && parsed.backupId === backupId) {
      targets.push({ id: backupId, container, prefix })
    } else if (parsed?.kind === 'ambiguous' && parsed.backupIds.includes(backupId)) {
      throw new BackupError(
        'OPTION_INVALID',
        `Cannot delete backup ${backupId}: the prefix ${prefix} in container ${container} fits several ids, ` +
          `${parsed.backupIds.join(' and ')}. Delete the objects with that prefix with the store's own tools.`,
        { backupId, container },
      )
    }
  }
  return targets
}

function requiresForce(cause: BackupError): BackupError {
  const message = `${cause.message} To delete the backup all the same, by the prefix of its objects, set \`force\`.`
  return new BackupError(cause.code, message, { ...cause.details, cause })
}

/** The objects of a backup to delete that the store has. */
export interface Found {
  readonly target: DeleteTarget
  /** Whether its `_metadata` exists, readable or not. */
  readonly committed: boolean
  /** The bytes of `_metadata`; null where they cannot be read. */
  readonly metadata: Uint8Array | null
  /** Whether it has objects other than `_metadata`. */
  readonly hadObjects: boolean
  /** Of other deletes: killed ones, or ones that are running. */
  readonly markers: Markers
}

/** How often the store is checked for `_metadata`, or a marker with its bytes, before both count as missing. */
const MAX_CHECKS = 3

/** A store, and whether the caller deletes what cannot be read. */
export interface ForcedAccess extends StoreAccess {
  readonly force: boolean
}

/** Finds what the store has of a backup. */
export async function findInStore(access: ForcedAccess, target: DeleteTarget): Promise<Found> {
  const hadObjects = await hasObjects(access, target)
  for (let checks = 1; ; checks += 1) {
    const bytes = await readMetadataBytes(access, target)
    const markers = await listMarkers(access, target)
    if (bytes !== 'missing') return { target, committed: true, metadata: bytes, hadObjects, markers }
    // Listed after `_metadata` was missing: the delete that removed it had written its marker before.
    const marked = markers.readable.find(({ metadata }) => metadata.byteLength > 0)?.metadata ?? null
    // Without a marker, that delete may have put `_metadata` back between the two checks.
    if (marked !== null || checks === MAX_CHECKS) {
      return { target, committed: false, metadata: marked, hadObjects, markers }
    }
  }
}

/** @returns null for `_metadata` that exists and cannot be read, which only `force` deletes: it could not be put back */
async function readMetadataBytes(
  { store, options, force }: ForcedAccess,
  { container, prefix, volumeId }: DeleteTarget,
): Promise<Uint8Array | null | 'missing'> {
  try {
    return await readBytes(store, container, metadataObjectName(prefix), options)
  } catch (error) {
    if (isBackupError(error, 'OBJECT_MISSING')) return 'missing'
    // Metadata that was read before is not damaged.
    const isDamaged = isUnreadable(error) || isBackupError(error, 'STORE_FAILED')
    if (force && volumeId === undefined && isDamaged) return null
    throw error
  }
}

/** Whether a backup has objects other than `_metadata`. */
export async function hasObjects(
  { store, options }: StoreAccess,
  { container, prefix }: BackupPlace,
): Promise<boolean> {
  const { own } = await listBackupObjects(store, container, prefix, options)
  return own.size > (own.has(metadataObjectName(prefix)) ? 1 : 0)
}
