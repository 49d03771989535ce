import { isUnreadable, type MarkerPlace } from '../catalog/list-container.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import { isBackupError } from '../errors/backup-error.js'
import { metadataObjectName, prefixOfBackupObject } from '../format/object-names.js'
import { parseClaimName, parseMarkerName } from '../format/side-objects.js'
import { withReader } from '../store/objects.js'
import { Limiter } from '../pipeline/slots.js'

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

/** How many objects are asked for their time at once. */
const QUESTIONS_AT_ONCE = 8

/** Decides what is old enough to be an orphan, and not a backup that runs. */
export class AgeGuard {
  readonly #store: ObjectStore
  readonly #olderThanMs: number
  readonly #nowMs: number

  constructor(store: ObjectStore, olderThanMs: number, now: Date) {
    this.#store = store
    this.#olderThanMs = olderThanMs
    this.#nowMs = now.getTime()
  }

  /** The moment before which something was written that may be removed. */
  get olderThan(): Date {
    return new Date(this.#nowMs - this.#olderThanMs)
  }

  /** When the newest of the objects was written; null where the store does not tell, or has none of them. */
  async newest(container: string, names: Iterable<string>, options: StoreOptions): Promise<Date | null> {
    const store = this.#store
    if (!store.capabilities.modificationTimes) return null
    const limiter = new Limiter(QUESTIONS_AT_ONCE)
    const times = await Promise.all(
      [...names].map((name) => limiter.run(async () => store.objectModifiedAt(container, name, options))),
    )
    const known = times.flatMap((time) => time?.getTime() ?? [])
    return known.length === 0 ? null : new Date(known.reduce((a, b) => Math.max(a, b)))
  }

  /** Why something of this age is kept; undefined where it may be removed. */
  reasonToKeep(modifiedAt: Date | null): string | undefined {
    if (this.#olderThanMs === 0) return undefined
    if (modifiedAt === null) return 'the store does not say how old it is'
    if (modifiedAt.getTime() > this.#nowMs - this.#olderThanMs) return 'a backup that runs may own it'
    return undefined
  }
}
