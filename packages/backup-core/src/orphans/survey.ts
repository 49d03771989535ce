import { isUnreadable, type MarkerPlace } from '../catalog/list-container.js'
import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import { isBackupError } from '../errors/backup-error.js'
import { metadataObjectName, prefixOfBackupObject } from '../format/object-names.js'
import { parseClaimName, parseMarkerName } from '../format/side-objects.js'
import { withReader } from '../store/read-object.js'

/** A claim in a container. */
export interface ClaimPlace {
  readonly container: string
  readonly objectName: string
  readonly backupId: string
}

/** What of a container's listing may be orphans. */
export interface Survey {
  /** Prefixes of objects without a `_metadata` in the listing. */
  readonly uncommitted: readonly string[]
  readonly claims: readonly ClaimPlace[]
  readonly markers: readonly MarkerPlace[]
}

/** Lists a container once, and holds its prefixes alone. */
export async function survey(store: ObjectStore, container: string, options: StoreOptions): Promise<Survey> {
  const prefixes = new Map<string, boolean>()
  const claims: ClaimPlace[] = []
  const markers: MarkerPlace[] = []
  for await (const objectName of store.getContainerEntries(container, '', options)) {
    const found = prefixOfBackupObject(objectName)
    if (found) {
      prefixes.set(found.prefix, found.isMetadata || prefixes.get(found.prefix) === true)
      continue
    }
    const claimed = parseClaimName(objectName)
    if (claimed !== undefined) claims.push({ container, objectName, backupId: claimed })
    const marked = parseMarkerName(objectName)
    if (marked !== undefined) markers.push({ container, objectName, backupId: marked })
  }
  const uncommitted = [...prefixes].filter(([, committed]) => !committed).map(([prefix]) => prefix)
  return { uncommitted, claims, markers }
}

/**
 * Whether a `_metadata` object is there, readable or not. It is opened: a listing may lag, and whatever else stands under
 * the name must count.
 */
export async function mayBeCommitted(
  store: ObjectStore,
  container: string,
  prefix: string,
  options: StoreOptions,
): Promise<boolean> {
  const objectName = metadataObjectName(prefix)
  if (await store.objectExists(container, objectName, options)) return true
  try {
    await withReader(store, container, objectName, { ...options, extraMetadata: null }, (reader) =>
      reader.read({ ...options, maxBytes: 0 }),
    )
    return true
  } catch (error) {
    if (isBackupError(error, 'OBJECT_MISSING')) return false
    // Longer than nothing, or not a file: it is there.
    if (isUnreadable(error)) return true
    throw error
  }
}
