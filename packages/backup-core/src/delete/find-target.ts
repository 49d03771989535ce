import { backupNotFound, type BackupLookup } from '../catalog/backup-lookup.js'
import type { BackupCatalog } from '../contracts/catalog.js'
import { findLeftBehind, isUnreadable, type MarkerPlace } from '../catalog/list-container.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { BackupReference } from '../contracts/records.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import type { PrefixParser } from '../format/backup-prefix.js'
import { parseMetadata } from '../format/metadata-reader.js'
import { metadataObjectName } from '../format/object-names.js'
import { bytesBody, listBackupObjects, readBytes } from '../store/objects.js'
import type { DeleteTarget } from './dependents.js'
import { listMarkers, readMarker, type Markers } from './marker.js'

/** Where backups are searched that are to be deleted. */
export interface TargetSearch {
  readonly store: ObjectStore
  /** A new lookup, which has not listed anything yet. */
  readonly openLookup: () => BackupLookup
  /** The caller's catalog; undefined where the store's own `_metadata` objects are the catalog. */
  readonly ownCatalog: BackupCatalog | undefined
  readonly prefixes: () => PrefixParser
}

/**
 * What is to be deleted for a reference: a committed backup; one whose delete did not finish, by its marker; with `force`
 * also one whose metadata is damaged, or of which only objects are left, by its prefix.
 *
 * @throws `BACKUP_NOT_FOUND`, `METADATA_INVALID` and others for metadata that cannot be read
 */
export async function findTargets(
  search: TargetSearch,
  reference: BackupReference,
  force: boolean,
  options: StoreOptions,
): Promise<readonly [DeleteTarget, ...DeleteTarget[]]> {
  if (typeof reference !== 'string') return [reference]
  const lookup = search.openLookup()
  try {
    const record = search.ownCatalog
      ? await search.ownCatalog.get(reference, options)
      : (await lookup.find(reference))?.record
    if (record) return [record]
  } catch (error) {
    if (!isUnreadable(error)) throw error
    if (!force) throw onlyByForce(error)
    return atLeast(await byPrefix(search, reference, options), error)
  }
  let unreadable: BackupError | undefined
  for (const marker of await lookup.findMarkers(reference)) {
    try {
      const target = await byMarker(search.store, marker, options)
      if (target) return [target]
    } catch (error) {
      if (!isUnreadable(error)) throw error
      unreadable ??= error
    }
  }
  if (unreadable && !force) throw onlyByForce(unreadable)
  const targets = force ? await byPrefix(search, reference, options) : []
  return atLeast(targets, unreadable ?? backupNotFound(reference))
}

async function byMarker(
  store: ObjectStore,
  place: MarkerPlace,
  options: StoreOptions,
): Promise<DeleteTarget | undefined> {
  const marker = await readMarker(store, place, options)
  // That delete has ended since it was listed.
  if (!marker) return undefined
  const target = { id: place.backupId, container: place.container, prefix: marker.prefix }
  const objectName = metadataObjectName(marker.prefix)
  try {
    const { container } = place
    const metadata = await parseMetadata(bytesBody(marker.metadata).stream(), { container, objectName })
    return { ...target, volumeId: metadata.volumeId, objectCount: metadata.objects.length }
  } catch (error) {
    // It was deleted with `force`.
    if (isUnreadable(error)) return target
    throw error
  }
}

/** The prefixes that belong to an id, whatever is there of their objects. */
async function byPrefix(
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
        `Cannot tell whether the objects that begin with ${prefix} in ${container} are of backup ${backupId}: ` +
          `the prefix fits ${parsed.backupIds.join(' and ')}. Delete them with the store's own tools.`,
        { backupId, container },
      )
    }
  }
  return targets
}

function atLeast(
  targets: readonly DeleteTarget[],
  otherwise: unknown,
): readonly [DeleteTarget, ...DeleteTarget[]] {
  const [first, ...rest] = targets
  if (!first) throw otherwise
  return [first, ...rest]
}

function onlyByForce(cause: BackupError): BackupError {
  const message = `${cause.message} To delete the backup all the same, by the prefix of its objects, set \`force\`.`
  return new BackupError(cause.code, message, { ...cause.details, cause })
}

/** A backup that is to be deleted, as the store has it. */
export interface Found {
  readonly target: DeleteTarget
  /** Whether its `_metadata` is there, readable or not. */
  readonly committed: boolean
  /** The bytes of `_metadata`; null where they cannot be had. */
  readonly metadata: Uint8Array | null
  /** Whether it has objects other than `_metadata`. */
  readonly hadObjects: boolean
  /** Of other deletes: killed ones, or ones that run now. */
  readonly markers: Markers
}

/** How often it is looked whether `_metadata` or a marker with its bytes is there, before there is neither. */
const LOOKS = 3

/** A store, and how it is called. */
export interface StoreAccess {
  readonly store: ObjectStore
  readonly options: StoreOptions
  /** Whether the caller deletes what cannot be read. */
  readonly force: boolean
}

/** What of a backup is in the store. */
export async function findInStore(
  { store, options, force }: StoreAccess,
  target: DeleteTarget,
): Promise<Found> {
  const hadObjects = await hasObjects(store, target, options)
  for (let looks = 1; ; looks += 1) {
    const bytes = await readMetadataBytes({ store, options, force }, target)
    const markers = await listMarkers(store, target, options)
    if (bytes !== 'missing') return { target, committed: true, metadata: bytes, hadObjects, markers }
    // After `_metadata` was found missing: the delete that removed it wrote its marker before.
    const marked = markers.readable.find(({ metadata }) => metadata.byteLength > 0)?.metadata ?? null
    // Without any, that delete may have put `_metadata` back between the two looks.
    if (marked !== null || looks === LOOKS) {
      return { target, committed: false, metadata: marked, hadObjects, markers }
    }
  }
}

/** @returns null for what is there and cannot be read, which `force` alone deletes: it could not be put back */
async function readMetadataBytes(
  { store, options, force }: StoreAccess,
  { container, prefix, volumeId }: DeleteTarget,
): Promise<Uint8Array | null | 'missing'> {
  try {
    return await readBytes(store, container, metadataObjectName(prefix), options)
  } catch (error) {
    if (isBackupError(error, 'OBJECT_MISSING')) return 'missing'
    // One that was read before is not damaged.
    const isDamaged = isUnreadable(error) || isBackupError(error, 'STORE_FAILED')
    if (force && volumeId === undefined && isDamaged) return null
    throw error
  }
}

/** Whether objects of a backup are there, other than `_metadata`. */
export async function hasObjects(
  store: ObjectStore,
  { container, prefix }: DeleteTarget,
  options: StoreOptions,
): Promise<boolean> {
  const { own } = await listBackupObjects(store, container, prefix, options)
  return own.size > (own.has(metadataObjectName(prefix)) ? 1 : 0)
}
