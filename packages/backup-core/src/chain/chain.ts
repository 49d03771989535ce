import type { BackupLookup } from '../catalog/backup-lookup.js'
import type { BackupRecord } from '../driver/types.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import type { Chain, ChainLayer } from './chain-layer.js'

/**
 * Follows `parent_id` down to the full backup. Every layer is read and checked before anything is done with any:
 * `CHAIN_INVALID` for a parent that is not there, a loop, or a parent of another volume.
 *
 * @param opened - the newest, where it was read already
 */
export async function loadChain(
  lookup: BackupLookup,
  newest: BackupRecord,
  opened?: ChainLayer,
): Promise<Chain> {
  const first = opened ?? (await lookup.open(newest))
  const rest: ChainLayer[] = []
  const seen = new Set([newest.id])
  let layer = first
  while (layer.metadata.parentId !== null) {
    const parentId = layer.metadata.parentId
    if (seen.has(parentId)) {
      throw chainError(newest, `the parents of backup ${layer.record.id} lead back to ${parentId}: a loop`)
    }
    seen.add(parentId)
    layer = await findParent(lookup, newest, layer, parentId)
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

async function findParent(
  lookup: BackupLookup,
  newest: BackupRecord,
  child: ChainLayer,
  parentId: string,
): Promise<ChainLayer> {
  let found: ChainLayer | undefined
  try {
    found = await lookup.find(parentId, child.record.container, child.metadata.parentPrefix)
  } catch (error) {
    // A catalog of the caller's may know a backup whose objects are gone.
    if (!isBackupError(error, 'OBJECT_MISSING')) throw error
    throw chainError(newest, `backup ${parentId}, one of its parents, has no metadata any more`, error)
  }
  if (found) return found
  const childId = child.record.id
  const parent =
    childId === newest.id
      ? `its parent, backup ${parentId},`
      : `backup ${parentId}, the parent of ${childId},`
  if ((await lookup.findMarkers(parentId)).length > 0) {
    throw chainError(
      newest,
      `${parent} is being deleted, or its delete was interrupted. ` +
        `Delete ${parentId} again: it is put back, since ${childId} depends on it`,
    )
  }
  throw chainError(newest, `${parent} is not in the store. Import its record, or bring its container back`)
}

function chainError(newest: BackupRecord, what: string, cause?: unknown): BackupError {
  return new BackupError('CHAIN_INVALID', `The chain of backup ${newest.id} is broken: ${what}.`, {
    backupId: newest.id,
    cause,
  })
}
