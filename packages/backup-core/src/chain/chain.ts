import type { WarningListener } from '../contracts/progress.js'
import type { BackupRecord } from '../contracts/records.js'
import { parseManifest, type ObjectLocation } from '../format/manifest-reader.js'
import type { Manifest, StoredObject } from '../format/manifest.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import { manifestObjectName } from '../format/object-names.js'
import type { BackupLocation, StoreAccess } from '../store/access.js'

/** One backup of a chain, with its manifest. */
export interface ChainLayer {
  readonly record: BackupRecord
  readonly manifest: Manifest
}

/** A chain, newest first, down to a full backup. Never empty. */
export type Chain = readonly [ChainLayer, ...ChainLayer[]]

/** A chain in its store. */
export interface ChainContext {
  readonly access: StoreAccess
  readonly chain: Chain
  /** Rejects what Cinder rejects. */
  readonly strict: boolean
  readonly onWarning: WarningListener
}

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
  /** Reads this backup's probable ancestors concurrently, so that they need not be read one after the other. Never rejects. */
  readAhead(child: BackupLocation, manifest: Manifest): Promise<void>
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
  const broken = (what: string, cause?: unknown): BackupError => {
    const details = { backupId: newest.id, cause }
    return new BackupError('CHAIN_INVALID', `The chain of backup ${newest.id} is broken: ${what}.`, details)
  }
  const first = opened ?? (await lookup.open(newest))
  const { volumeId } = first.manifest
  const rest: ChainLayer[] = []
  const seen = new Set([newest.id])
  for (let child = first; child.manifest.parentId !== null;) {
    const { parentId, parentPrefix } = child.manifest
    const { id: childId, container } = child.record
    if (seen.has(parentId))
      throw broken(
        `the ancestors of backup ${childId} lead back to ${parentId}: a loop. Use another backup of the volume`,
      )
    seen.add(parentId)
    await lookup.readAhead(child.record, child.manifest)
    const parent = await lookup.find(parentId, container, parentPrefix).catch((error: unknown) => {
      // A caller's catalog may know a backup whose objects are gone.
      if (!isBackupError(error, 'OBJECT_MISSING')) throw error
      throw broken(
        `backup ${parentId}, one of its ancestors, has no metadata any more. Use another backup of the volume`,
        error,
      )
    })
    if (!parent) throw broken(await absence(lookup, newest, childId, parentId))
    const parentVolume = parent.manifest.volumeId
    if (parentVolume !== volumeId)
      throw broken(
        `backup ${parentId} is of volume ${parentVolume}, its child of volume ${volumeId}. Use another backup of the volume`,
      )
    rest.push(parent)
    child = parent
  }
  return [first, ...rest]
}

/** Returns the reason why the parent is missing, and what to do. */
async function absence(
  lookup: ChainLookup,
  newest: BackupRecord,
  childId: string,
  parentId: string,
): Promise<string> {
  const isOfNewest = childId === newest.id
  const parent = isOfNewest
    ? `its parent, backup ${parentId},`
    : `backup ${parentId}, the parent of ${childId},`
  if ((await lookup.findMarkers(parentId)).length === 0)
    return `${parent} is not in the store. Import its record, or make its container available again`
  return `${parent} is being deleted, or its delete was interrupted. Delete ${parentId} again: it is put back, since ${childId} depends on it`
}

/**
 * The maximum length of a `_metadata` that is read: 1 GiB, some five million objects. Cinder's own, for 1 TiB at its default
 * chunk size, is 4 MiB. A longer one is an attack, or the result of a far too small chunk size.
 */
const MAX_METADATA_BYTES = 2 ** 30

/** Reads the manifest of a backup of which only the location is known. */
export async function readManifestAt(access: StoreAccess, location: ObjectLocation): Promise<Manifest> {
  const { container, objectName } = location
  const invalid = (what: string): BackupError =>
    new BackupError('METADATA_INVALID', `${objectName} ${what}`, { container, objectName })
  const manifest = await access.stream(container, objectName, async (pieces) => {
    let textBytes = 0
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces) {
        textBytes += piece.length
        if (textBytes > MAX_METADATA_BYTES) throw invalid(`exceeds the limit of ${MAX_METADATA_BYTES} bytes.`)
        yield piece
      }
    }
    return { ...(await parseManifest(counted(), { container, objectName })), textBytes }
  })
  // Every backend's prefixes contain the id (ObjectStore.generateObjectNamePrefix).
  if (objectName.includes(manifest.backupId)) return manifest
  throw invalid(
    `is of backup ${manifest.backupId}, but its name does not contain that id. It may have been renamed: give it its old name back.`,
  )
}

/** Reads a backup's manifest, and checks it against the record. */
export async function readManifest(
  access: StoreAccess,
  { id, container, prefix }: Pick<BackupRecord, 'id' | 'container' | 'prefix'>,
): Promise<Manifest> {
  const objectName = manifestObjectName(prefix)
  const manifest = await readManifestAt(access, { container, objectName })
  if (manifest.backupId === id) return manifest
  const message = `${objectName} is of backup ${manifest.backupId}, expected ${id}. It may have been renamed: give it its old name back.`
  throw new BackupError('METADATA_INVALID', message, { container, objectName, backupId: id })
}

/**
 * Checks the layout of each manifest in a chain: damage that leaves valid JSON would otherwise silently restore zeros, or
 * the data of an older backup.
 *
 * The objects of a full backup cover the volume from 0 on, in their order, without a gap or an overlap. Those of an
 * incremental ascend without an overlap, and cover everything past the end of the parent's volume. A size that a manifest
 * states is one that its chain has data for. An object without bytes is the only one of a volume without bytes. Cinder's
 * drivers and Stowage write nothing else.
 *
 * @throws BackupError `METADATA_INVALID`
 */
export function assertValidChain(chain: Chain): void {
  let parentSizeBytes = 0
  for (const layer of chain.toReversed()) {
    const isFull = layer.manifest.parentId === null
    const dataEndBytes = assertOrder(layer, isFull ? 0 : parentSizeBytes)
    assertStatedSize(layer, dataEndBytes, isFull)
    parentSizeBytes = layer.manifest.volumeSizeBytes ?? dataEndBytes
    assertLengths(layer, parentSizeBytes)
  }
}

/** @returns the end of all data up to this layer */
function assertOrder(layer: ChainLayer, parentSizeBytes: number): number {
  const placeOf = ({ name, offsetBytes, lengthBytes }: StoredObject): string =>
    `${name} (bytes ${offsetBytes} to ${offsetBytes + lengthBytes})`
  let before: StoredObject | undefined
  let endBytes = 0
  let coveredBytes = parentSizeBytes
  for (const object of layer.manifest.objects) {
    if (object.offsetBytes < endBytes) {
      const other = before ? placeOf(before) : 'the start of the volume'
      throw manifestDamaged(layer, object, `${placeOf(object)} begins before the end of ${other}`)
    }
    if (object.offsetBytes > coveredBytes) {
      const where = before ? `between ${before.name} and ${object.name}` : `before ${object.name}`
      const what = `no object holds bytes ${coveredBytes} to ${object.offsetBytes} of the volume, ${where}`
      throw manifestDamaged(layer, object, what)
    }
    endBytes = object.offsetBytes + object.lengthBytes
    coveredBytes = Math.max(coveredBytes, endBytes)
    before = object
  }
  return coveredBytes
}

const MD5_OF_NO_BYTES = 'd41d8cd98f00b204e9800998ecf8427e'

/** A length that was changed to 0 would restore the ancestors' data in place of the object's. */
function assertLengths(layer: ChainLayer, volumeSizeBytes: number): void {
  const { objects } = layer.manifest
  const isEmptyVolume = volumeSizeBytes === 0 && objects.length === 1
  for (const object of objects) {
    if (object.lengthBytes > 0 || (isEmptyVolume && object.md5 === MD5_OF_NO_BYTES)) continue
    const what = `${object.name} has \`length\` 0 at byte ${object.offsetBytes}, which only the one object of an empty volume has`
    throw manifestDamaged(layer, object, what)
  }
}

/** A volume that grew is stored to its new end; one that shrank states a smaller size than there is data for. */
function assertStatedSize(layer: ChainLayer, dataEndBytes: number, isFull: boolean): void {
  const stated = layer.manifest.volumeSizeBytes
  if (stated === null || stated === dataEndBytes || (stated < dataEndBytes && !isFull)) return
  const owner = isFull ? '' : 'of its chain '
  const what = `\`volume_size_bytes\` is ${stated}, but the objects ${owner}end at byte ${dataEndBytes}`
  throw manifestDamaged(layer, undefined, what)
}

/** The error for a manifest that is damaged. */
export function manifestDamaged(
  layer: ChainLayer,
  object: StoredObject | undefined,
  what: string,
): BackupError {
  const { id, container, prefix } = layer.record
  const manifestName = manifestObjectName(prefix)
  return new BackupError(
    'METADATA_INVALID',
    `The metadata of backup ${id} is damaged: ${what}. Use another backup of the volume, or another copy of ${manifestName}.`,
    {
      ...{ backupId: id, container, objectName: object?.name ?? manifestName },
      ...(object && { offsetBytes: object.offsetBytes }),
    },
  )
}
