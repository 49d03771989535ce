import type { BackupRecord } from '../contracts/records.js'
import { parseMetadata } from '../format/metadata-reader.js'
import type { BackupMetadata } from '../format/metadata.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import { metadataObjectName } from '../format/object-names.js'
import { readStream } from '../store/objects.js'

/** One backup of a chain, with its manifest. */
export interface ChainLayer {
  readonly record: BackupRecord
  readonly metadata: BackupMetadata
}

/** A chain, newest first, down to a full backup. Never empty. */
export type Chain = readonly [ChainLayer, ...ChainLayer[]]

/** Finds the backups of a chain. */
export interface ChainLookup {
  /**
   * Returns a backup with its manifest, or undefined where the store has none of this id. Searches `nearContainer` first.
   *
   * @param prefix - of two backups with one id, selects the one with this prefix
   * @throws BackupError `CONFLICT` where a container has two backups of the id, and no prefix is given
   */
  find(backupId: string, nearContainer?: string, prefix?: string): Promise<ChainLayer | undefined>
  /** Reads the manifest of a backup whose location is known. @throws BackupError `OBJECT_MISSING` */
  open(record: BackupRecord): Promise<ChainLayer>
  /** Returns the markers of unfinished deletes of this backup. */
  findMarkers(backupId: string): Promise<readonly unknown[]>
}

/**
 * Follows `parent_id` down to the full backup. Every layer is read and checked before anything else is done:
 * `CHAIN_INVALID` for a missing parent, a loop, or a parent of another volume.
 *
 * @param opened - the newest, where it was read already
 */
export async function loadChain(
  lookup: ChainLookup,
  newest: BackupRecord,
  opened?: ChainLayer,
): Promise<Chain> {
  const first = opened ?? (await lookup.open(newest))
  const { volumeId } = first.metadata
  const rest: ChainLayer[] = []
  const seen = new Set([newest.id])
  for (let layer = first; layer.metadata.parentId !== null;) {
    const { parentId } = layer.metadata
    if (seen.has(parentId))
      throw chainError(newest, `the parents of backup ${layer.record.id} lead back to ${parentId}: a loop`)
    seen.add(parentId)
    layer = await findParent(lookup, newest, layer, parentId)
    const parentVolume = layer.metadata.volumeId
    if (parentVolume !== volumeId)
      throw chainError(
        newest,
        `backup ${parentId} is of volume ${parentVolume}, its child of volume ${volumeId}`,
      )
    rest.push(layer)
  }
  return [first, ...rest]
}

async function findParent(
  lookup: ChainLookup,
  newest: BackupRecord,
  child: ChainLayer,
  parentId: string,
): Promise<ChainLayer> {
  const childId = child.record.id
  const found = await lookup
    .find(parentId, child.record.container, child.metadata.parentPrefix)
    .catch((error: unknown) => {
      // A caller's catalog may know a backup whose objects are gone.
      if (!isBackupError(error, 'OBJECT_MISSING')) throw error
      throw chainError(newest, `backup ${parentId}, one of its parents, has no metadata any more`, error)
    })
  if (found) return found
  const parent =
    childId === newest.id
      ? `its parent, backup ${parentId},`
      : `backup ${parentId}, the parent of ${childId},`
  if ((await lookup.findMarkers(parentId)).length === 0)
    throw chainError(newest, `${parent} is not in the store. Import its record, or bring its container back`)
  throw chainError(
    newest,
    `${parent} is being deleted, or its delete was interrupted. ` +
      `Delete ${parentId} again: it is put back, since ${childId} depends on it`,
  )
}

function chainError(newest: BackupRecord, what: string, cause?: unknown): BackupError {
  return new BackupError('CHAIN_INVALID', `The chain of backup ${newest.id} is broken: ${what}.`, {
    backupId: newest.id,
    cause,
  })
}

/**
 * The maximum length of a `_metadata` that is read: 1 GiB, some five million objects. Cinder's own, for 1 TiB at its default
 * chunk size, is 4 MiB. A longer one is an attack, or the result of a far too small chunk size.
 */
const MAX_METADATA_BYTES = 2 ** 30

/** Reads the commit object of a backup of which only the place is known. */
export async function readMetadataAt(
  store: ObjectStore,
  { container, objectName }: { readonly container: string; readonly objectName: string },
  options: StoreOptions,
): Promise<BackupMetadata> {
  const place = { container, objectName }
  const reading = { ...options, extraMetadata: null }
  const metadata = await readStream(store, container, objectName, reading, async (pieces) => {
    let textBytes = 0
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces) {
        textBytes += piece.length
        if (textBytes > MAX_METADATA_BYTES) {
          const message = `${objectName} exceeds the limit of ${MAX_METADATA_BYTES} bytes.`
          throw new BackupError('METADATA_INVALID', message, place)
        }
        yield piece
      }
    }
    return { ...(await parseMetadata(counted(), place)), textBytes }
  })
  // Every backend's prefixes contain the id (ObjectStore.generateObjectNamePrefix).
  if (objectName.includes(metadata.backupId)) return metadata
  const message = `${objectName} is of backup ${metadata.backupId}, but its name does not contain that id. Was it renamed?`
  throw new BackupError('METADATA_INVALID', message, place)
}

/** Reads a backup's commit object, and checks it against the record. */
export async function readMetadata(
  store: ObjectStore,
  { id, container, prefix }: Pick<BackupRecord, 'id' | 'container' | 'prefix'>,
  options: StoreOptions,
): Promise<BackupMetadata> {
  const objectName = metadataObjectName(prefix)
  const metadata = await readMetadataAt(store, { container, objectName }, options)
  if (metadata.backupId === id) return metadata
  const message = `${objectName} is of backup ${metadata.backupId}, expected ${id}. Was it renamed?`
  throw new BackupError('METADATA_INVALID', message, { container, objectName, backupId: id })
}
