import { backupNotFound } from '../catalog/backup-lookup.js'
import { findLeftBehind } from '../catalog/store-index.js'
import { readManifest } from '../chain/chain.js'
import type { BackupRecord, BackupReference } from '../contracts/records.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { PrefixParser } from '../format/backup-prefix.js'
import { isUnreadable, type StoreAccess } from '../store/access.js'
import type { DeleteJob } from './run-delete.js'
import { parseIfReadable, readMarker, type LocatedBackup } from './marker.js'

/** A backup to delete, as far as it is known. */
export interface DeleteTarget extends LocatedBackup {
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
  { openLookup, callerCatalog }: DeleteJob,
  access: StoreAccess,
  reference: BackupReference,
  force: boolean,
): Promise<DeleteTargets> {
  const lookup = openLookup()
  const id = typeof reference === 'string' ? reference : reference.id
  let unreadable: BackupError | undefined
  try {
    const stated = typeof reference === 'string' ? await callerCatalog?.get(id, access.options) : reference
    if (stated) return [await statedTarget(access, stated, force)]
    const found = callerCatalog ? undefined : await lookup.find(id)
    if (found) return [found.record]
  } catch (error) {
    if (!isUnreadable(error)) throw error
    unreadable = error
  }
  // Of a backup whose `_metadata` exists and is damaged, markers are not read.
  for (const location of unreadable ? [] : await lookup.findMarkers(id)) {
    try {
      const marker = await readMarker(access, location)
      // That delete has ended since it was listed.
      if (!marker) continue
      const target = { id, container: location.container, prefix: marker.prefix }
      // Undefined for a backup that was deleted with `force`.
      const manifest = await parseIfReadable(marker.manifestBytes, target)
      const known = manifest && { volumeId: manifest.volumeId, objectCount: manifest.objects.length }
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
  const [first, ...rest] = force ? await targetsByPrefix(access, id) : []
  if (!first) throw unreadable ?? backupNotFound(id)
  return [first, ...rest]
}

/**
 * Reads the manifest of a backup that a record names: dependents are searched by its volume, and a wrong record would hide
 * them.
 */
async function statedTarget(
  access: StoreAccess,
  { id, container, prefix }: BackupRecord,
  force: boolean,
): Promise<DeleteTarget> {
  const location = { id, container, prefix }
  try {
    const { volumeId, objects } = await readManifest(access, location)
    return { ...location, volumeId, objectCount: objects.length }
  } catch (error) {
    // Deleted before: what may be left is deleted. With `force`, also what is damaged.
    const isDeletable = isBackupError(error, 'OBJECT_MISSING') || (force && isUnreadable(error))
    if (isDeletable && prefix.includes(id)) return location
    throw error
  }
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
