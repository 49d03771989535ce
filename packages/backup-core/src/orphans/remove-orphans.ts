import { isUnreadable, type MarkerPlace } from '../catalog/list-container.js'
import { deleteTargets, type DeleteJob } from '../delete/run-delete.js'
import { listMarkers, mayHideBackup, readMarker } from '../delete/marker.js'
import { signalOptions, type ObjectStore, type StoreOptions } from '../contracts/object-store.js'
import { throwIfAborted } from '../errors/abort.js'
import { isBackupError, type BackupErrorCode } from '../errors/backup-error.js'
import { messageAbout } from '../errors/error-mapper.js'
import type { ParsedPrefix } from '../format/backup-prefix.js'
import { listBackupObjects, readBytes } from '../store/objects.js'
import { AgeGuard, mayBeCommitted, survey, type ClaimPlace } from './survey.js'
import type { Orphan, OrphanOptions, OrphanResult } from '../contracts/requests.js'

/** Long enough for every backup that stores an object a day. */
const DEFAULT_OLDER_THAN_MS = 24 * 60 * 60 * 1000

/** Why a delete is not finished: something needs the backup, or another delete runs. */
const keptCodes: ReadonlySet<BackupErrorCode> = new Set([
  'HAS_DEPENDENTS',
  'DEPENDENTS_UNKNOWN',
  'CONFLICT',
  'DELETE_INCOMPLETE',
])

/** What orphans are removed with. */
export interface OrphanJob extends DeleteJob {
  readonly now: Date
}

/**
 * Finds what belongs to no backup, in all containers that the driver searches, and removes what is old enough. Nothing of a
 * backup that has a `_metadata`, readable or not, is touched.
 */
export async function removeOrphans(job: OrphanJob, options: OrphanOptions): Promise<OrphanResult> {
  const { olderThanMs = DEFAULT_OLDER_THAN_MS, dryRun = false, signal } = options
  const guard = new AgeGuard(job.store, olderThanMs, job.now)
  const remover = new OrphanRemover(job, guard, dryRun, signalOptions(signal))
  for await (const container of job.store.getContainers(signalOptions(signal))) {
    throwIfAborted(signal, 'The search for orphans')
    try {
      await remover.container(container)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      job.onWarning({
        code: 'METADATA_UNREADABLE',
        message: `A container is left as it is: ${messageAbout(error, container)}`,
      })
    }
  }
  await remover.temporaries()
  return { orphans: remover.orphans, objectsRemoved: remover.objectsRemoved }
}

/** What an orphan is, before it is decided what becomes of it. */
type Candidate = Omit<Orphan, 'outcome' | 'reason'>

class OrphanRemover {
  readonly orphans: Orphan[] = []
  objectsRemoved = 0
  readonly #job: OrphanJob
  readonly #guard: AgeGuard
  readonly #dryRun: boolean
  readonly #options: StoreOptions

  constructor(job: OrphanJob, guard: AgeGuard, dryRun: boolean, options: StoreOptions) {
    this.#job = job
    this.#guard = guard
    this.#dryRun = dryRun
    this.#options = options
  }

  async container(container: string): Promise<void> {
    const { uncommitted, claims, markers } = await survey(this.#store, container, this.#options)
    const beingDeleted = new Set<string>()
    for (const marker of markers) {
      const prefix = await this.#marker(marker)
      if (prefix !== undefined) beingDeleted.add(prefix)
    }
    for (const prefix of uncommitted) {
      if (!beingDeleted.has(prefix)) await this.#objects(container, prefix)
    }
    for (const claim of claims) await this.#claim(claim)
  }

  async temporaries(): Promise<void> {
    if (!this.#store.capabilities.temporaryObjects) return
    const removeOptions = { ...this.#options, olderThan: this.#guard.olderThan, dryRun: this.#dryRun }
    const removed = await this.#store.removeTemporaries(removeOptions)
    for (const { container, name, modifiedAt } of removed) {
      const candidate = {
        kind: 'temporary',
        container,
        name,
        backupId: null,
        objectCount: 1,
        modifiedAt,
      } as const
      this.orphans.push({ ...candidate, outcome: this.#dryRun ? 'found' : 'removed' })
      if (!this.#dryRun) this.objectsRemoved += 1
    }
  }

  get #store(): ObjectStore {
    return this.#job.store
  }

  /** Chunks and a hash list without `_metadata`. Names that only look like it are not touched. */
  async #objects(container: string, prefix: string): Promise<void> {
    const parsed = this.#job.prefixes().parse(prefix)
    if (!parsed) return
    const { own } = await listBackupObjects(this.#store, container, prefix, this.#options)
    if (own.size === 0 || (await mayBeCommitted(this.#store, container, prefix, this.#options))) return
    const candidate: Candidate = {
      ...{ kind: 'objects', container, name: prefix, objectCount: own.size },
      backupId: parsed.kind === 'backup' ? parsed.backupId : null,
      modifiedAt: await this.#guard.newest(container, own, this.#options),
    }
    await this.#decide(candidate, async () => {
      const reason = await this.#reasonToKeep(container, prefix, parsed)
      return reason === undefined ? this.#delete(container, [...own]) : { outcome: 'kept', reason }
    })
  }

  /**
   * What is found right before objects are removed. A delete may hide `_metadata`, and put it back: its marker is there
   * before the one and after the other, so that both are asked for, twice.
   */
  async #reasonToKeep(container: string, prefix: string, parsed: ParsedPrefix): Promise<string | undefined> {
    const ids = parsed.kind === 'backup' ? [parsed.backupId] : parsed.backupIds
    for (let looks = 1; looks <= 2; looks += 1) {
      if (await mayBeCommitted(this.#store, container, prefix, this.#options))
        return 'it was committed meanwhile'
      for (const id of ids) {
        const markers = await listMarkers(this.#store, { id, container, prefix }, this.#options)
        if (markers.readable.length + markers.damaged.length > 0) return `a delete of backup ${id} has it`
      }
    }
    return undefined
  }

  /** A backup that runs may store nothing for long, but what it stored is as young as its claim is needed. */
  async #claim({ container, objectName, backupId }: ClaimPlace): Promise<void> {
    const prefix = await this.#claimedPrefix(container, objectName)
    const objects =
      prefix === undefined ? [] : (await listBackupObjects(this.#store, container, prefix, this.#options)).own
    const modifiedAt = await this.#guard.newest(container, [objectName, ...objects], this.#options)
    await this.#decide(
      { kind: 'claim', container, name: objectName, backupId, objectCount: 1, modifiedAt },
      () => this.#delete(container, [objectName]),
    )
  }

  async #claimedPrefix(container: string, objectName: string): Promise<string | undefined> {
    try {
      const bytes = await readBytes(this.#store, container, objectName, this.#options)
      const claim = JSON.parse(Buffer.from(bytes).toString()) as { readonly prefix?: unknown } | null
      return typeof claim?.prefix === 'string' && claim.prefix !== '' ? claim.prefix : undefined
    } catch (error) {
      if (error instanceof SyntaxError || isUnreadable(error) || isBackupError(error, 'OBJECT_MISSING')) {
        return undefined
      }
      throw error
    }
  }

  /**
   * A delete that was interrupted is finished; or taken back, where an incremental depends on the backup.
   *
   * @returns the prefix that the marker is for
   */
  async #marker(place: MarkerPlace): Promise<string | undefined> {
    const { container, objectName, backupId } = place
    const modifiedAt = await this.#guard.newest(container, [objectName], this.#options)
    const candidate: Candidate = {
      kind: 'marker',
      container,
      name: objectName,
      backupId,
      objectCount: 1,
      modifiedAt,
    }
    let prefix: string | undefined
    try {
      prefix = (await readMarker(this.#store, place, this.#options))?.prefix
    } catch (error) {
      if (!isUnreadable(error)) throw error
      if (await mayHideBackup(this.#store, place, this.#options)) {
        this.orphans.push({ ...candidate, outcome: 'kept', reason: error.message })
      } else await this.#decide(candidate, () => this.#delete(container, [objectName]))
      return undefined
    }
    if (prefix === undefined) return undefined
    const target = { id: backupId, container, prefix }
    await this.#decide(candidate, async () => {
      // The delete had not begun to remove anything, or was taken back.
      if (await mayBeCommitted(this.#store, container, target.prefix, this.#options)) {
        return this.#delete(container, [objectName])
      }
      try {
        const { objectsDeleted } = await deleteTargets(this.#job, [target], this.#options)
        this.objectsRemoved += objectsDeleted
        return { outcome: 'finished' }
      } catch (error) {
        if (!isBackupError(error) || !keptCodes.has(error.code)) throw error
        // Put back: the marker is of no use.
        if (await mayBeCommitted(this.#store, container, prefix, this.#options)) {
          await this.#delete(container, [objectName])
        }
        return { outcome: 'kept', reason: error.message }
      }
    })
    return prefix
  }

  async #decide(
    candidate: Candidate,
    remove: () => Promise<Pick<Orphan, 'outcome' | 'reason'>>,
  ): Promise<void> {
    throwIfAborted(this.#options.signal, 'The removal of orphans')
    const reason = this.#guard.reasonToKeep(candidate.modifiedAt)
    if (reason !== undefined) this.orphans.push({ ...candidate, outcome: 'kept', reason })
    else if (this.#dryRun) this.orphans.push({ ...candidate, outcome: 'found' })
    else this.orphans.push({ ...candidate, ...(await remove()) })
  }

  async #delete(container: string, names: readonly string[]): Promise<Pick<Orphan, 'outcome' | 'reason'>> {
    const failed = await this.#store.deleteObjects(container, names, this.#options)
    this.objectsRemoved += names.length - failed.length
    const [first] = failed
    if (!first) return { outcome: 'removed' }
    const why = first.error instanceof Error ? first.error.message : String(first.error)
    return { outcome: 'kept', reason: `${failed.length} object(s) could not be deleted: ${why}` }
  }
}
