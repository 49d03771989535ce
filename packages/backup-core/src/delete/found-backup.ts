import { isUnreadable } from '../catalog/list-container.js'
import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import { isBackupError } from '../errors/backup-error.js'
import { metadataObjectName } from '../format/object-names.js'
import { listBackupObjects } from '../store/list-objects.js'
import { readBytes } from '../store/read-object.js'
import type { DeleteTarget } from './dependents.js'
import { listMarkers, type Markers } from './marker.js'

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
