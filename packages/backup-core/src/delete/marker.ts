import type { MarkerPlace } from '../catalog/list-container.js'
import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import { isBackupError } from '../errors/backup-error.js'
import { decodeMarker, encodeMarker, type DeletionMarker } from '../format/deletion-marker.js'
import { markerObjectName } from '../format/side-objects.js'
import { readBytes } from '../store/read-object.js'
import { partsBody, writeObject } from '../store/write-object.js'

/** Where the marker of a delete of this backup is, if there is one. */
export function markerPlace({ id, container }: { id: string; container: string }): MarkerPlace {
  return { container, backupId: id, objectName: markerObjectName(id) }
}

/**
 * The marker at a place; undefined where there is none.
 * @throws `METADATA_INVALID` where it is damaged
 */
export async function readMarker(
  store: ObjectStore,
  { container, objectName, backupId }: MarkerPlace,
  options: StoreOptions,
): Promise<DeletionMarker | undefined> {
  try {
    const bytes = await readBytes(store, container, objectName, options)
    return decodeMarker(bytes, backupId, { container, objectName })
  } catch (error) {
    if (isBackupError(error, 'OBJECT_MISSING')) return undefined
    throw error
  }
}

export function writeMarker(
  store: ObjectStore,
  container: string,
  marker: DeletionMarker,
  options: StoreOptions,
): Promise<void> {
  const body = partsBody(encodeMarker(marker))
  const objectName = markerObjectName(marker.backupId)
  return writeObject(store, container, objectName, body, { ...options, extraMetadata: null })
}
