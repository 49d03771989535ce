import type { MarkerLocation } from '../catalog/store-index.js'
import { signalOptions } from '../contracts/object-store.js'
import type { Orphan, OrphanOptions, OrphanResult } from '../contracts/requests.js'
import { listMarkers, mayHideBackup, readMarker } from '../delete/marker.js'
import { deleteTargets, type DeleteTargetsJob } from '../delete/run-delete.js'
import { isBackupError, throwIfAborted, type BackupErrorCode } from '../errors/backup-error.js'
import { messageAbout, messageOf } from '../errors/error-mapper.js'
import { PrefixParser } from '../format/backup-prefix.js'
import {
  manifestObjectName,
  parseClaimName,
  parseMarkerName,
  parseObjectName,
} from '../format/object-names.js'
import { ifReadable, isUnreadable, StoreAccess } from '../store/access.js'
import { mapConcurrently } from '../pipeline/map-concurrently.js'

/** Long enough for every backup that stores an object a day. */
const DEFAULT_OLDER_THAN_MS = 24 * 60 * 60 * 1000

/** Codes of a delete that is not finished because something needs the backup, or another delete is running. */
const keptCodes: ReadonlySet<BackupErrorCode> = new Set([
  'HAS_DEPENDENTS',
  'DEPENDENTS_UNKNOWN',
  'CONFLICT',
  'DELETE_INCOMPLETE',
])

/** The dependencies of a removal of orphans. */
export interface OrphanJob extends DeleteTargetsJob {
  readonly now: Date
}

/**
 * Finds the objects that belong to no backup, in all containers that the driver searches, and removes those that are old
 * enough. No object of a backup that has a `_metadata`, readable or not, is removed.
 */
export async function removeOrphans(job: OrphanJob, options: OrphanOptions): Promise<OrphanResult> {
  const remover = new OrphanRemover(job, options)
  for await (const container of job.store.getContainers(signalOptions(options.signal))) {
    throwIfAborted(options.signal, 'The search for orphans')
    try {
      await remover.removeFrom(container)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      const message = `A container is skipped, and its orphans are kept: ${messageAbout(error, container)}`
      job.onWarning({ code: 'METADATA_UNREADABLE', message })
    }
  }
  await remover.removeTemporaries()
  return { orphans: remover.orphans, objectsRemoved: remover.objectsRemoved }
}

/** An orphan whose outcome is not decided yet. */
type Candidate = Omit<Orphan, 'outcome' | 'reason'>

/** What was done with an orphan. */
type Outcome = Pick<Orphan, 'outcome' | 'reason'>

class OrphanRemover {
  readonly orphans: Orphan[] = []
  objectsRemoved = 0
  readonly #access: StoreAccess
  readonly #dryRun: boolean
  /** Undefined where everything may be removed, whatever its age. */
  readonly #olderThan: Date | undefined

  constructor(
    private readonly job: OrphanJob,
    { olderThanMs = DEFAULT_OLDER_THAN_MS, dryRun = false, signal }: OrphanOptions,
  ) {
    this.#access = new StoreAccess(job.store, { signal })
    this.#dryRun = dryRun
    this.#olderThan = olderThanMs === 0 ? undefined : new Date(job.now.getTime() - olderThanMs)
  }

  /** Lists a container once, and keeps its prefixes alone in memory. */
  async removeFrom(container: string): Promise<void> {
    const isCommitted = new Map<string, boolean>()
    const claims: MarkerLocation[] = []
    const markers: MarkerLocation[] = []
    for await (const objectName of this.#access.names(container)) {
      const found = parseObjectName(objectName)
      if (found) {
        isCommitted.set(found.prefix, found.isMetadata || isCommitted.get(found.prefix) === true)
        continue
      }
      const claimed = parseClaimName(objectName)
      if (claimed !== undefined) claims.push({ container, objectName, backupId: claimed })
      const marked = parseMarkerName(objectName)
      if (marked !== undefined) markers.push({ container, objectName, backupId: marked })
    }
    const beingDeleted = new Set<string | undefined>()
    for (const marker of markers) beingDeleted.add(await this.#marker(marker))
    const claimNames = await this.#claimNames(claims)
    for (const [prefix, committed] of isCommitted) {
      if (committed || beingDeleted.has(prefix)) continue
      await this.#objects(container, prefix, claimNames.get(prefix) ?? [])
    }
    for (const claim of claims) await this.#claim(claim)
  }

  async removeTemporaries(): Promise<void> {
    const { store, options } = this.#access
    if (!store.capabilities.temporaryObjects) return
    const olderThan = this.#olderThan ?? this.job.now
    const removed = await store.removeTemporaries({ ...options, olderThan, dryRun: this.#dryRun })
    for (const { container, name, modifiedAt } of removed) {
      const outcome = this.#dryRun ? 'found' : 'removed'
      const candidate = { kind: 'temporary', container, name, backupId: null, objectCount: 1 } as const
      this.orphans.push({ ...candidate, modifiedAt, outcome })
      if (!this.#dryRun) this.objectsRemoved += 1
    }
  }

  /** The names of the claims of each prefix. */
  async #claimNames(claims: readonly MarkerLocation[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const names = new Map<string, string[]>()
    for (const { container, objectName } of claims) {
      const prefix = await this.#claimedPrefix(container, objectName)
      if (prefix !== undefined) names.set(prefix, [...(names.get(prefix) ?? []), objectName])
    }
    return names
  }

  /**
   * Removes chunks and a hash list without `_metadata`. Names that only look like a backup's are kept. A copy that continues
   * an older one has a new claim before it stores an object.
   */
  async #objects(container: string, prefix: string, claimNames: readonly string[]): Promise<void> {
    const ids = new PrefixParser(this.job.store).parse(prefix)
    if (ids.length === 0) return
    const { own } = await this.#access.list({ container, prefix })
    if (own.size === 0 || (await this.#mayBeCommitted(container, prefix))) return
    const backupId = ids.length === 1 ? (ids[0] ?? null) : null
    const candidate = { kind: 'objects', container, name: prefix, backupId, objectCount: own.size } as const
    await this.#decide(candidate, [...own, ...claimNames], async () => {
      const reason = await this.#reasonToKeep(container, prefix, ids)
      return reason === undefined ? this.#delete(container, [...own]) : { outcome: 'kept', reason }
    })
  }

  /**
   * Checks once more right before objects are removed. A delete may hide `_metadata`, and put it back: its marker exists
   * before it hides it and after it put it back, so that both are checked, twice.
   */
  async #reasonToKeep(
    container: string,
    prefix: string,
    ids: readonly string[],
  ): Promise<string | undefined> {
    for (let checks = 1; checks <= 2; checks += 1) {
      if (await this.#mayBeCommitted(container, prefix)) return 'it was committed meanwhile'
      for (const id of ids) {
        const { readable, damaged } = await listMarkers(this.#access, { id, container, prefix })
        if (readable.length + damaged.length > 0) return `a delete of backup ${id} is removing it`
      }
    }
    return undefined
  }

  /**
   * Whether a `_metadata` object exists, readable or not. It is opened, since a listing may lag, and since an object of any
   * kind under that name counts.
   */
  async #mayBeCommitted(container: string, prefix: string): Promise<boolean> {
    const objectName = manifestObjectName(prefix)
    if (await this.#access.exists(container, objectName)) return true
    return this.#access.canOpen(container, objectName).catch((error: unknown) => {
      if (isUnreadable(error)) return true
      throw error
    })
  }

  /** A running backup may store nothing for long: its claim is as old as the newest of the objects that it guards. */
  async #claim({ container, objectName, backupId }: MarkerLocation): Promise<void> {
    const prefix = await this.#claimedPrefix(container, objectName)
    const objects = prefix === undefined ? [] : (await this.#access.list({ container, prefix })).own
    const candidate = { kind: 'claim', container, name: objectName, backupId, objectCount: 1 } as const
    await this.#decide(candidate, [objectName, ...objects], () => this.#delete(container, [objectName]))
  }

  async #claimedPrefix(container: string, objectName: string): Promise<string | undefined> {
    const bytes = await ifReadable(this.#access.read(container, objectName))
    try {
      const claim = JSON.parse(Buffer.from(bytes ?? []).toString()) as { readonly prefix?: unknown } | null
      return typeof claim?.prefix === 'string' && claim.prefix !== '' ? claim.prefix : undefined
    } catch {
      return undefined
    }
  }

  /**
   * Finishes a delete that was interrupted, or rolls it back where an incremental depends on the backup.
   *
   * @returns the prefix of the backup that is marked
   */
  async #marker(location: MarkerLocation): Promise<string | undefined> {
    const { container, objectName, backupId } = location
    const candidate = { kind: 'marker', container, name: objectName, backupId, objectCount: 1 } as const
    const deleteMarker = (): Promise<Outcome> => this.#delete(container, [objectName])
    let prefix: string | undefined
    try {
      prefix = (await readMarker(this.#access, location))?.prefix
    } catch (error) {
      if (!isUnreadable(error)) throw error
      if (await mayHideBackup(this.#access, location)) {
        const modifiedAt = await this.#modifiedAt(container, [objectName])
        this.orphans.push({ ...candidate, modifiedAt, outcome: 'kept', reason: error.message })
      } else await this.#decide(candidate, [objectName], deleteMarker)
      return undefined
    }
    if (prefix === undefined) return undefined
    const target = { id: backupId, container, prefix }
    await this.#decide(candidate, [objectName], async () => {
      // The delete had not begun to remove anything, or was rolled back.
      if (await this.#mayBeCommitted(container, target.prefix)) return deleteMarker()
      try {
        const { objectsDeleted } = await deleteTargets(this.job, [target], this.#access.options)
        this.objectsRemoved += objectsDeleted
        return { outcome: 'finished' }
      } catch (error) {
        if (!isBackupError(error) || !keptCodes.has(error.code)) throw error
        // The delete was rolled back: the marker has no purpose any more.
        if (await this.#mayBeCommitted(container, target.prefix)) await deleteMarker()
        return { outcome: 'kept', reason: error.message }
      }
    })
    return prefix
  }

  /** @param names - the objects whose age decides: those of a running backup are not orphans */
  async #decide(
    candidate: Omit<Candidate, 'modifiedAt'>,
    names: Iterable<string>,
    remove: () => Promise<Outcome>,
  ): Promise<void> {
    const modifiedAt = await this.#modifiedAt(candidate.container, names)
    throwIfAborted(this.#access.options.signal, 'The removal of orphans')
    let outcome: Outcome
    if (this.#olderThan && modifiedAt === null)
      outcome = { outcome: 'kept', reason: 'the store does not report its age' }
    else if (this.#olderThan && modifiedAt && modifiedAt > this.#olderThan)
      outcome = { outcome: 'kept', reason: 'it may belong to a running backup' }
    else outcome = this.#dryRun ? { outcome: 'found' } : await remove()
    this.orphans.push({ ...candidate, modifiedAt, ...outcome })
  }

  /** Returns when the newest of the objects was written; null where the store does not report it, or has none of them. */
  async #modifiedAt(container: string, names: Iterable<string>): Promise<Date | null> {
    const { store, options } = this.#access
    if (!store.capabilities.modificationTimes) return null
    const times = await mapConcurrently(names, async (name) =>
      store.objectModifiedAt(container, name, options),
    )
    return times.reduce<Date | null>((a, b) => (b && (!a || b > a) ? b : a), null)
  }

  async #delete(container: string, names: readonly string[]): Promise<Outcome> {
    const { store, options } = this.#access
    const failed = await store.deleteObjects(container, names, options)
    this.objectsRemoved += names.length - failed.length
    const [first] = failed
    if (!first) return { outcome: 'removed' }
    const reason = `${failed.length} object(s) could not be deleted: ${messageOf(first.error)}`
    return { outcome: 'kept', reason }
  }
}
