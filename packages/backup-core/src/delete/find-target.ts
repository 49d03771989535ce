import { backupNotFound } from '../catalog/backup-lookup.js'
import { findLeftBehind } from '../catalog/store-index.js'
import { readManifestAt } from '../chain/chain.js'
import type { BackupRecord, BackupReference } from '../contracts/records.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { PrefixParser } from '../format/backup-prefix.js'
import type { Manifest } from '../format/manifest.js'
import { manifestObjectName } from '../format/object-names.js'
import { isUnreadable, type StoreAccess } from '../store/access.js'
import type { DeleteJob } from './run-delete.js'
import { listMarkers, parseIfReadable, readMarker, type LocatedBackup } from './marker.js'

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
      return [{ ...target, ...(manifest && knownOf(manifest)) }]
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
 * Reads the manifest of a backup that a record names: dependents are searched by its id and its volume, and a wrong record
 * would hide them.
 *
 * @throws `OPTION_INVALID` for a record whose prefix is that of another backup
 */
async function statedTarget(
  access: StoreAccess,
  { id, container, prefix }: BackupRecord,
  force: boolean,
): Promise<DeleteTarget> {
  const location = { id, container, prefix }
  const ids = new PrefixParser(access.store).parse(prefix)
  if (ids.length === 0 ? !prefix.includes(id) : !ids.includes(id)) throw otherBackup(location)
  let manifest: Manifest | undefined
  try {
    manifest = await readManifestAt(access, { container, objectName: manifestObjectName(prefix) })
    if (manifest.backupId !== id) throw otherBackup(location)
  } catch (error) {
    if (force && isUnreadable(error)) return location
    if (!isBackupError(error, 'OBJECT_MISSING')) throw error
    // An earlier delete removed it: its marker has the bytes, or nothing is left but objects without a backup.
    const { readable } = await listMarkers(access, location)
    const marked = readable.find(({ manifestBytes }) => manifestBytes.byteLength > 0)
    manifest = await parseIfReadable(marked?.manifestBytes ?? null, location)
  }
  return { ...location, ...(manifest && knownOf(manifest)) }
}

function knownOf({ volumeId, objects }: Manifest): Pick<DeleteTarget, 'volumeId' | 'objectCount'> {
  return { volumeId, objectCount: objects.length }
}

function otherBackup({ id, container, prefix }: LocatedBackup): BackupError {
  const message = `Cannot delete backup ${id}: the prefix in its record, ${prefix}, is that of another backup. Pass a record as listBackups() returned it, or the id.`
  return new BackupError('OPTION_INVALID', message, { backupId: id, container })
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
