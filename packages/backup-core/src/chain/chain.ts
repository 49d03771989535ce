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
 * Follows `parent_id` down to the full backup. Every layer is read and checked before anything is done with any:
 * `CHAIN_INVALID` for a parent that is not there, a loop, or a parent of another volume.
 *
 * @param opened - the newest, where it was read already
 */
export async function loadChain(
  lookup: ChainLookup,
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
  lookup: ChainLookup,
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

/**
 * The longest `_metadata` that is read: 1 GiB, some five million objects. Cinder's own, for 1 TiB at its default chunk
 * size, is 4 MiB. Whoever stores a longer one means harm, or has chosen a chunk size far too small.
 */
const MAX_METADATA_BYTES = 2 ** 30

/** Reads the commit object of a backup that is found by its place alone. */
export async function readMetadataAt(
  store: ObjectStore,
  place: { readonly container: string; readonly objectName: string },
  options: StoreOptions,
): Promise<BackupMetadata> {
  const { container, objectName } = place
  const metadata = await readStream(
    store,
    container,
    objectName,
    { ...options, extraMetadata: null },
    async (pieces) => {
      let textBytes = 0
      const counted = withinLimit(pieces, place, (readBytes) => (textBytes = readBytes))
      return { ...(await parseMetadata(counted, { container, objectName })), textBytes }
    },
  )
  // Every backend's prefixes contain the id (ObjectStore.generateObjectNamePrefix): one that does not is another's.
  if (objectName.includes(metadata.backupId)) return metadata
  throw new BackupError(
    'METADATA_INVALID',
    `${objectName} says that it is of backup ${metadata.backupId}, whose id its name does not have. Was it renamed?`,
    { container, objectName },
  )
}

async function* withinLimit(
  pieces: AsyncIterable<Uint8Array>,
  place: { readonly container: string; readonly objectName: string },
  onRead: (readBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let readBytes = 0
  for await (const piece of pieces) {
    readBytes += piece.length
    onRead(readBytes)
    if (readBytes > MAX_METADATA_BYTES) {
      throw new BackupError(
        'METADATA_INVALID',
        `${place.objectName} is longer than ${MAX_METADATA_BYTES} bytes.`,
        {
          container: place.container,
          objectName: place.objectName,
        },
      )
    }
    yield piece
  }
}

/** Reads a backup's commit object, and holds it against the record that led there. */
export async function readMetadata(
  store: ObjectStore,
  record: Pick<BackupRecord, 'id' | 'container' | 'prefix'>,
  options: StoreOptions,
): Promise<BackupMetadata> {
  const objectName = metadataObjectName(record.prefix)
  const where = { container: record.container, objectName }
  const metadata = await readMetadataAt(store, where, options)
  if (metadata.backupId !== record.id) {
    throw new BackupError(
      'METADATA_INVALID',
      `${objectName} says that it is of backup ${metadata.backupId}, not of ${record.id}. Was it renamed?`,
      { ...where, backupId: record.id },
    )
  }
  return metadata
}
