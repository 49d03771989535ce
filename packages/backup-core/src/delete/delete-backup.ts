import { readManifestAt } from '../chain/chain.js'
import { BackupError, isBackupError, throwIfAborted } from '../errors/backup-error.js'
import { manifestObjectName, prefixOfManifestObject } from '../format/object-names.js'
import type { ProgressMeter } from '../pipeline/progress-meter.js'
import { ifReadable, isUnreadable, StoreAccess } from '../store/access.js'
import { bytesBody } from '../store/objects.js'
import type { DeleteTarget } from './find-target.js'
import {
  listMarkers,
  writeMarker,
  outranks,
  parseIfReadable,
  putMarker,
  type Marker,
  type Markers,
} from './marker.js'
import { removeObjects } from './remove-objects.js'
import type { DeleteTargetsJob } from './run-delete.js'

/** The dependencies of the delete of one backup. */
export interface DeleteContext extends Pick<DeleteTargetsJob, 'catalog' | 'onWarning'> {
  readonly access: StoreAccess
  /** Whether the caller deletes what cannot be read. */
  readonly force: boolean
  readonly meter: ProgressMeter
  /** Rejects where a backup that depends on the target exists, or may exist. Searches anew each time. */
  readonly assertNoDependents: (target: DeleteTarget) => Promise<void>
}

/** Why a backup must be kept. */
interface KeepReason {
  readonly error: Error
  /** Whether `_metadata` may still be removed: that request was cut off, and a proxy may have buffered it. */
  readonly mayStillBeRemoved: boolean
}

/** How often the store is checked for `_metadata`, or a marker with its bytes, before both count as missing. */
const MAX_CHECKS = 3

/** How often a delete begins anew because another delete of the same backup intervened. */
const MAX_ROUNDS = 20

/** How long a delete waits for another one of the same backup that decides; and how often it checks. */
const OTHER_DELETE_MS = 10_000
const CHECK_INTERVAL_MS = 250

/** How long putting `_metadata` back may take: the caller's signal may be aborted by then. */
const ROLL_BACK_MS = 60_000

/**
 * Deletes one backup, so that a delete that is interrupted anywhere can be finished, and an incremental that is committed
 * meanwhile keeps its parent:
 *
 * 1. The delete writes its own marker, with the bytes of `_metadata`.
 * 2. It removes `_metadata`: from here on no incremental on it can be committed, since a commit checks its parent last.
 * 3. It searches dependents once more. One that was committed before step 2 is found: `_metadata` is put back, and the
 *    marker removed.
 * 4. It writes the marker again, as one whose objects are being removed. Then it removes them, and the markers last.
 *
 * Of concurrent deletes one decides: each lists the others' markers after it has written its own, before it puts anything
 * back or removes it. A marker is removed by its own delete, or by one that has removed everything else: so the bytes of
 * `_metadata` are in the store as long as they may be needed.
 */
export class BackupDelete {
  readonly #manifestName: string
  /** Whether `_metadata` existed when the delete began, readable or not. */
  #committed = false
  /** The bytes of `_metadata`; null where they cannot be read. */
  #manifestBytes: Uint8Array | null = null
  #own: Marker | undefined

  constructor(
    private readonly context: DeleteContext,
    private readonly target: DeleteTarget,
  ) {
    this.#manifestName = manifestObjectName(target.prefix)
  }

  /** @throws the reason why the backup must be kept */
  async run(): Promise<void> {
    await this.#mark(await this.#find())
    let counted = !this.#committed
    await this.#settle(async () => {
      const refusal = await this.#hide()
      if (!counted && refusal === undefined) {
        this.context.meter.add({ done: 1, objects: 1 })
        counted = true
      }
      return refusal
    })
  }

  /**
   * Puts `_metadata` back where an unfinished delete removed it, and has removed nothing else.
   *
   * @param error - why the backup must be kept
   */
  async rollBackUnfinished(error: Error): Promise<void> {
    const others = await this.#find()
    if (this.#committed || others.length === 0) return
    await this.#mark(others)
    await this.#settle(() => Promise.resolve({ error, mayStillBeRemoved: false }))
  }

  /** Finds what the store has of `_metadata`. @returns the markers of other deletes: killed ones, or ones that are running */
  async #find(): Promise<readonly Marker[]> {
    const { context, target } = this
    for (let checks = 1; ; checks += 1) {
      const bytes = await context.access
        .read(target.container, this.#manifestName)
        .catch((error: unknown) => {
          if (isBackupError(error, 'OBJECT_MISSING')) return 'missing'
          // With `force`, one that cannot be read is deleted: it could not be put back. One that was read before is not damaged.
          const isDamaged = isUnreadable(error) || isBackupError(error, 'STORE_FAILED')
          if (context.force && target.volumeId === undefined && isDamaged) return null
          throw error
        })
      const { readable } = await listMarkers(context.access, target)
      this.#committed = bytes !== 'missing'
      // Listed after `_metadata` was missing: the delete that removed it had written its marker before.
      const marked = readable.find(({ manifestBytes }) => manifestBytes.byteLength > 0)?.manifestBytes ?? null
      this.#manifestBytes = bytes === 'missing' ? marked : bytes
      // Without a marker, that delete may have put `_metadata` back between the two checks.
      if (this.#committed || marked !== null || checks === MAX_CHECKS) return readable
    }
  }

  /** Writes a marker for this delete, unless there is nothing to delete. */
  async #mark(others: readonly Marker[], access = this.context.access): Promise<void> {
    const { context, target } = this
    const isNeeded = this.#committed || this.#manifestBytes !== null || others.length > 0
    this.#own =
      isNeeded || (await this.#hasObjects(access))
        ? await writeMarker(access, target, this.#manifestBytes, others, context.onWarning)
        : undefined
  }

  /**
   * Removes the backup, or puts it back.
   *
   * @param decide - returns the reason why the backup must be kept. It is called again after another delete intervened
   * @throws that reason
   */
  async #settle(decide: () => Promise<KeepReason | undefined>): Promise<void> {
    const { context, target } = this
    const { id, container } = target
    for (let rounds = 1; rounds <= MAX_ROUNDS; rounds += 1) {
      const refusal = await decide()
      const access = refusal === undefined ? context.access : this.#accessToRollBack()
      if (refusal === undefined) await this.#rewriteMarker({ removing: true })
      const markers = await listMarkers(access, target).catch((cause: unknown) => {
        throw refusal === undefined ? cause : this.#notRolledBack(refusal, cause)
      })
      const others = markers.readable.filter(({ token }) => token !== this.#own?.token)
      if (!(await this.#ownIsStored(access, markers))) {
        // A delete removes another's marker only after it removed all other objects.
        if (!(await this.#hasObjects(access))) return
        await this.#mark(others, access)
        continue
      }
      if (others.some((other) => this.#isInTheWay(other, refusal))) {
        if (refusal === undefined) await this.#rewriteMarker()
        if (isBackupError(refusal?.error, 'ABORTED')) throw refusal.error
        if (await this.#untilNoneIsInTheWay(refusal)) continue
        if (refusal === undefined) throw this.#conflict()
        throw others.some(({ removing }) => removing)
          ? this.#notRolledBack(refusal, this.#conflict())
          : refusal.error
      }
      if (refusal !== undefined) {
        if (!(await this.#rollBack(refusal))) continue
        throw refusal.error
      }
      if (await access.exists(container, this.#manifestName)) {
        // Put back by another delete since it was removed.
        await this.#rewriteMarker()
        continue
      }
      await context.catalog.remove(id, access.options)
      await removeObjects(context, target, this.#manifestBytes)
      // The markers of all deletes: nothing else of the backup is left. This delete's own comes last.
      const names = [...markers.damaged, ...others.map(({ objectName }) => objectName)]
      if (this.#own) names.push(this.#own.objectName)
      for (const objectName of names) await access.delete(container, objectName)
      return
    }
    throw this.#conflict()
  }

  /** Removes `_metadata`, then searches dependents. @returns the reason why the backup must be kept */
  async #hide(): Promise<KeepReason | undefined> {
    const { target } = this
    const { access, assertNoDependents } = this.context
    let removing = false
    const unanswered: true[] = []
    const onUnanswered = (): void => void unanswered.push(true)
    try {
      throwIfAborted(access.options.signal, 'The delete')
      // Its bytes are in the marker, or cannot be read. A `_metadata` that was put back since must not be lost.
      if (this.#committed || this.#manifestBytes) {
        removing = true
        const options = { ...access.options, onUnanswered }
        await access.store.deleteObject(target.container, this.#manifestName, options)
        removing = false
      } else if (await access.exists(target.container, this.#manifestName)) throw this.#conflict()
      await assertNoDependents(this.#own ? { ...target, markerName: this.#own.objectName } : target)
      return undefined
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause))
      // Such a request may have been cut off before the store responded.
      const isUnanswered = isBackupError(error, 'ABORTED') || isBackupError(error, 'STORE_UNAVAILABLE')
      return { error, mayStillBeRemoved: unanswered.length > 0 || (removing && isUnanswered) }
    }
  }

  /** Writes the own marker anew: as one whose objects are being removed, or as it was. */
  async #rewriteMarker(change: Partial<Marker> = {}): Promise<void> {
    if (this.#own) await putMarker(this.context.access, this.target.container, { ...this.#own, ...change })
  }

  /** Whether the own marker still exists: by the listing, or by a request, since listings may lag. */
  async #ownIsStored(access: StoreAccess, { readable, damaged }: Markers): Promise<boolean> {
    if (!this.#own) return true
    const { token, objectName } = this.#own
    const isListed = readable.some((marker) => marker.token === token) || damaged.includes(objectName)
    return isListed || access.exists(this.target.container, objectName)
  }

  /** What another delete removes is not put back, even where that delete seems to have been killed: it may continue. */
  #isInTheWay(other: Marker, refusal: KeepReason | undefined): boolean {
    return !this.#own || outranks(other, this.#own) || (refusal !== undefined && other.removing)
  }

  /** Waits until no marker of another delete is in the way. @returns whether that happened in time */
  async #untilNoneIsInTheWay(refusal: KeepReason | undefined): Promise<boolean> {
    for (let waitedMs = 0; waitedMs < OTHER_DELETE_MS; waitedMs += CHECK_INTERVAL_MS) {
      await new Promise<void>((resolve) => setTimeout(resolve, CHECK_INTERVAL_MS))
      const { readable } = await listMarkers(this.context.access, this.target)
      const others = readable.filter(({ token }) => token !== this.#own?.token)
      if (!others.some((other) => this.#isInTheWay(other, refusal))) return true
    }
    return false
  }

  /** Whether the backup has objects other than `_metadata`. */
  async #hasObjects(access: StoreAccess): Promise<boolean> {
    const { own } = await access.list(this.target)
    return own.size > (own.has(this.#manifestName) ? 1 : 0)
  }

  #accessToRollBack(): StoreAccess {
    return new StoreAccess(this.context.access.store, { signal: AbortSignal.timeout(ROLL_BACK_MS) })
  }

  /**
   * Undoes a delete that has removed no object but `_metadata`. Where that fails, the marker stays for the next delete.
   *
   * @returns whether it is rolled back; false where another delete decides now
   */
  async #rollBack(refusal: KeepReason): Promise<boolean> {
    const own = this.#own
    const { container } = this.target
    const access = this.#accessToRollBack()
    try {
      if (this.#manifestBytes && !(await access.exists(container, this.#manifestName))) {
        await this.#assertWhole(access, this.#manifestBytes)
        await this.#assertOnlyOfId(access)
        await access.write(container, this.#manifestName, bytesBody(this.#manifestBytes))
      }
      if (!own) return true
      // A delete that decides since the last check may have removed the backup: then `_metadata` must not be put back.
      const markers = await listMarkers(access, this.target)
      const isOutranked = markers.readable.some((other) => outranks(other, own))
      if (isOutranked || !(await this.#ownIsStored(access, markers))) {
        await access.delete(container, this.#manifestName)
        return false
      }
      // Where the removal of `_metadata` may still arrive, the marker stays: the next delete finishes it, or puts it back.
      if (!refusal.mayStillBeRemoved) await access.delete(container, own.objectName)
      return true
    } catch (cause) {
      throw this.#notRolledBack(refusal, cause)
    }
  }

  /** Rejects a backup of which another delete has removed objects: it must not become visible again. */
  async #assertWhole(access: StoreAccess, bytes: Uint8Array): Promise<void> {
    const { id, container } = this.target
    // Undefined where it was damaged before the delete.
    const manifest = await parseIfReadable(bytes, this.target)
    const { own } = await access.list(this.target)
    for (const { name } of manifest?.objects ?? []) {
      if (own.has(name) || (await access.exists(container, name))) continue
      const message = `Another delete of backup ${id} has removed ${name} already.`
      throw new BackupError('OBJECT_MISSING', message, { backupId: id, container, objectName: name })
    }
  }

  /** Rejects an id that another run has used since `_metadata` was removed: the two backups could not be distinguished. */
  async #assertOnlyOfId(access: StoreAccess): Promise<void> {
    const { id, container, prefix } = this.target
    for await (const objectName of access.names(container)) {
      const other = prefixOfManifestObject(objectName)
      if (other === null || other === prefix || !other.endsWith(id)) continue
      const manifest = await ifReadable(readManifestAt(access, { container, objectName }))
      if (manifest?.backupId !== id) continue
      const message = `Another backup with the id ${id} was made meanwhile, with the prefix ${other}.`
      throw new BackupError('CONFLICT', message, { backupId: id, container })
    }
  }

  /** Returns the error for a backup that another delete decides about. */
  #conflict(): BackupError {
    const { id, container } = this.target
    const message = `Cannot delete backup ${id}: another delete of it is running, or was killed. Wait until it ends, then delete the backup again.`
    return new BackupError('CONFLICT', message, { backupId: id, container })
  }

  #notRolledBack({ error }: KeepReason, cause: unknown): BackupError {
    const { id, container } = this.target
    const message = `${error.message} The metadata of backup ${id} was removed, and could not be put back. Delete the backup again: its dependents are searched again, and the delete is finished or rolled back.`
    return new BackupError('DELETE_INCOMPLETE', message, { backupId: id, container, cause })
  }
}
