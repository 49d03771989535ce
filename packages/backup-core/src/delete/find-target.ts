import { backupNotFound } from '../catalog/backup-lookup.js'
import { findLeftBehind } from '../catalog/store-index.js'
import type { BackupReference } from '../contracts/records.js'
import { BackupError } from '../errors/backup-error.js'
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
  if (typeof reference !== 'string') return [reference]
  const lookup = openLookup()
  let unreadable: BackupError | undefined
  try {
    const record = callerCatalog
      ? await callerCatalog.get(reference, access.options)
      : (await lookup.find(reference))?.record
    if (record) return [record]
  } catch (error) {
    if (!isUnreadable(error)) throw error
    unreadable = error
  }
  // Of a backup whose `_metadata` exists and is damaged, markers are not read.
  for (const location of unreadable ? [] : await lookup.findMarkers(reference)) {
    try {
      const marker = await readMarker(access, location)
      // That delete has ended since it was listed.
      if (!marker) continue
      const target = { id: reference, container: location.container, prefix: marker.prefix }
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
