import { backupNotFound } from '../catalog/backup-lookup.js'
import { findLeftBehind } from '../catalog/store-places.js'
import type { BackupReference } from '../contracts/records.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { PrefixParser } from '../format/backup-prefix.js'
import { metadataObjectName } from '../format/object-names.js'
import { isUnreadable, type BackupPlace, type StoreAccess } from '../store/access.js'
import type { DeleteJob } from './run-delete.js'
import { listMarkers, parseIfReadable, readMarker, type Markers, type PlacedBackup } from './marker.js'

/** A backup to delete, as far as it is known. */
export interface DeleteTarget extends PlacedBackup {
  /** Undefined where its metadata cannot be read. */
  readonly volumeId?: string
  readonly objectCount?: number
  /** The marker of the delete, once it is written. */
  readonly markerName?: string
}

/** At least one backup to delete. */
export type DeleteTargets = readonly [DeleteTarget, ...DeleteTarget[]]

/**
 * Finds what to delete for a reference: a committed backup; one whose delete did not finish, by its marker; with `force`
 * also one whose metadata is damaged, or of which only objects are left, by its prefix.
 *
 * @throws `BACKUP_NOT_FOUND`, `METADATA_INVALID` and others for metadata that cannot be read
 */
export async function findTargets(
  { openLookup, ownCatalog }: DeleteJob,
  access: StoreAccess,
  reference: BackupReference,
  force: boolean,
): Promise<DeleteTargets> {
  if (typeof reference !== 'string') return [reference]
  const lookup = openLookup()
  let unreadable: BackupError | undefined
  try {
    const record = ownCatalog
      ? await ownCatalog.get(reference, access.options)
      : (await lookup.find(reference))?.record
    if (record) return [record]
  } catch (error) {
    if (!isUnreadable(error)) throw error
    unreadable = error
  }
  // Of a backup whose `_metadata` exists and is damaged, markers are not read.
  for (const place of unreadable ? [] : await lookup.findMarkers(reference)) {
    try {
      const marker = await readMarker(access, place)
      // That delete has ended since it was listed.
      if (!marker) continue
      const target = { id: reference, container: place.container, prefix: marker.prefix }
      // Undefined for a backup that was deleted with `force`.
      const metadata = await parseIfReadable(marker.metadata, target)
      const known = metadata && { volumeId: metadata.volumeId, objectCount: metadata.objects.length }
      return [{ ...target, ...known }]
    } catch (error) {
      if (!isUnreadable(error)) throw error
      unreadable ??= error
    }
  }
  if (unreadable && !force) {
    const message = `${unreadable.message} To delete the backup all the same, by the prefix of its objects, set \`force\`.`
    throw new BackupError(unreadable.code, message, { ...unreadable.details, cause: unreadable })
  }
  const [first, ...rest] = force ? await targetsByPrefix(access, reference) : []
  if (!first) throw unreadable ?? backupNotFound(reference)
  return [first, ...rest]
}

/** Finds the prefixes of an id, whichever of their objects exist. */
async function targetsByPrefix(access: StoreAccess, id: string): Promise<DeleteTarget[]> {
  const targets: DeleteTarget[] = []
  const parser = new PrefixParser(access.store)
  for await (const { container, prefix } of findLeftBehind(access)) {
    const ids = parser.parse(prefix)
    if (!ids.includes(id)) continue
    if (ids.length > 1) {
      throw new BackupError(
        'OPTION_INVALID',
        `Cannot delete backup ${id}: the prefix ${prefix} in container ${container} fits several ids, ${ids.join(' and ')}. Delete the objects with that prefix with the store's own tools.`,
        { backupId: id, container },
      )
    }
    targets.push({ id, container, prefix })
  }
  return targets
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

/**
 * Finds what the store has of a backup.
 *
 * @param force - accepts `_metadata` that exists and cannot be read: it could not be put back
 */
export async function findInStore(access: StoreAccess, target: DeleteTarget, force: boolean): Promise<Found> {
  const hadObjects = await hasObjects(access, target)
  for (let checks = 1; ; checks += 1) {
    const bytes = await access
      .read(target.container, metadataObjectName(target.prefix))
      .catch((error: unknown) => {
        if (isBackupError(error, 'OBJECT_MISSING')) return 'missing'
        // Metadata that was read before is not damaged.
        const isDamaged = isUnreadable(error) || isBackupError(error, 'STORE_FAILED')
        if (force && target.volumeId === undefined && isDamaged) return null
        throw error
      })
    const markers = await listMarkers(access, target)
    if (bytes !== 'missing') return { target, committed: true, metadata: bytes, hadObjects, markers }
    // Listed after `_metadata` was missing: the delete that removed it had written its marker before.
    const metadata = markers.readable.find((marker) => marker.metadata.byteLength > 0)?.metadata ?? null
    // Without a marker, that delete may have put `_metadata` back between the two checks.
    if (metadata !== null || checks === MAX_CHECKS)
      return { target, committed: false, metadata, hadObjects, markers }
  }
}

/** Whether a backup has objects other than `_metadata`. */
export async function hasObjects(access: StoreAccess, place: BackupPlace): Promise<boolean> {
  const { own } = await access.list(place)
  return own.size > (own.has(metadataObjectName(place.prefix)) ? 1 : 0)
}
