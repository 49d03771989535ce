import { signalOptions } from '../contracts/object-store.js'
import type { Progress, ProgressListener } from '../contracts/progress.js'
import type { BackupRecord, BackupReference } from '../contracts/records.js'
import type {
  CopiedBackup,
  CopyAllOptions,
  CopyOptions,
  CopyResult,
  CopySource,
  CopyTarget,
  DiffOptions,
  StoreDiff,
} from '../contracts/requests.js'
import { BackupError, isBackupError, throwIfAborted, type BackupProblem } from '../errors/backup-error.js'
import { isStoredFault } from '../store/access.js'
import { validateCall } from '../settings/option-shapes.js'

/**
 * Copies a backup with its chain from one store to another, whatever their backends: the same as `to.copyFrom`.
 *
 * @throws as `copyFrom` does
 */
export function copyBackup(
  from: CopySource,
  to: CopyTarget,
  backup: BackupReference,
  options: CopyOptions = {},
): Promise<CopyResult> {
  return to.copyFrom(from, backup, options)
}

/**
 * Returns the backups of one store that another one lacks, by their records. Reads the catalogs of both, and writes nothing.
 *
 * @throws BackupError the errors of `listBackups` of both
 */
export async function diffStores(
  from: Pick<CopySource, 'listBackups'>,
  to: Pick<CopyTarget, 'listBackups'>,
  options: DiffOptions = {},
): Promise<StoreDiff> {
  validateCall('diffStores', { from, to, options })
  const { volumeId, since, signal } = options
  const filter = { ...signalOptions(signal), ...(volumeId === undefined ? {} : { volumeId }) }
  const found = new Map((await to.listBackups(signalOptions(signal))).map((record) => [record.id, record]))
  const missing: BackupRecord[] = []
  const different: BackupRecord[] = []
  for (const record of await from.listBackups(filter)) {
    // A time that cannot be parsed is not a reason to leave a backup out.
    if (since && Date.parse(record.createdAt) < since.getTime()) continue
    const other = found.get(record.id)
    if (!other) missing.push(record)
    else if (!isSame(record, other)) different.push(record)
  }
  return { missing, different }
}

function isSame(one: BackupRecord, other: BackupRecord): boolean {
  const keys = ['volumeId', 'parentId', 'createdAt', 'objectCount'] as const
  return keys.every((key) => one[key] === other[key])
}

/**
 * Copies the backups of one store that another one lacks, chain by chain. A backup that cannot be copied, such as one with a
 * damaged object, does not stop the others.
 *
 * @throws BackupError `COPY_INCOMPLETE` at the end, with each of these in `details.problems`; any other error at once
 */
export async function copyBackups(
  from: CopySource,
  to: CopyTarget,
  options: CopyAllOptions = {},
): Promise<CopyResult> {
  validateCall('copyBackups', { from, to, options })
  const { volumeId, since, onProgress, ...copyOptions } = options
  const selection = { ...(volumeId === undefined ? {} : { volumeId }), ...(since && { since }) }
  const { missing, different } = await diffStores(from, to, {
    ...selection,
    ...signalOptions(options.signal),
  })
  const backups = new Map<string, CopiedBackup>()
  const problems: BackupProblem[] = different.map(problemOfOther)
  const byId = new Map(missing.map((record) => [record.id, record]))
  const newest = newestOfChains(missing)
  const progress = new ProgressOfChains(newest.length, onProgress)
  const failed = new Set(different.map(({ id }) => id))
  const waiting = [...newest]
  for (let record = waiting.shift(); record; record = waiting.shift()) {
    if (backups.has(record.id)) continue
    throwIfAborted(options.signal, 'The copy')
    const listener = progress.next()
    try {
      const copied = await to.copyFrom(from, record, { ...copyOptions, ...listener })
      for (const backup of copied.backups)
        if (backups.get(backup.record.id)?.outcome !== 'copied') backups.set(backup.record.id, backup)
    } catch (error) {
      if (!isOfOneBackup(error)) throw error
      const { backupId = record.id } = error.details
      if (!failed.has(backupId)) problems.push(problemOf(error, backupId))
      failed.add(backupId)
      // Those that the failed one depends on may be copied all the same.
      const parent = byId.get(byId.get(backupId)?.parentId ?? '')
      if (parent && !failed.has(parent.id)) waiting.unshift(parent)
    }
  }
  if (problems.length === 0) {
    progress.finish()
    return { backups: [...backups.values()] }
  }
  throw new BackupError(
    'COPY_INCOMPLETE',
    `${problems.length} of ${missing.length + different.length} backups, or their chains, could not be copied. The first: ${problems[0]?.message ?? ''}`,
    { problems },
  )
}

function problemOf({ code, message, details }: BackupError, backupId: string): BackupProblem {
  const { objectName } = details
  return { code, message, backupId, ...(objectName === undefined ? {} : { objectName }) }
}

function problemOfOther({ id }: BackupRecord): BackupProblem {
  const message = `The destination has a different backup with the id ${id}. Delete that one, if it is not needed.`
  return { code: 'BACKUP_EXISTS', message, backupId: id }
}

/** The backups that are no parent of another one: their chains contain all others. */
function newestOfChains(records: readonly BackupRecord[]): readonly BackupRecord[] {
  const parents = new Set(records.map(({ parentId }) => parentId))
  return records.filter(({ id }) => !parents.has(id))
}

/** Whether other backups may still be copied after an error. */
function isOfOneBackup(error: unknown): error is BackupError {
  const codes = [
    ...(['CHAIN_INVALID', 'BACKUP_NOT_FOUND', 'BACKUP_EXISTS', 'CONFLICT'] as const),
    ...(['MEMORY_LIMIT', 'CLEANUP_INCOMPLETE'] as const),
  ]
  return isStoredFault(error) || codes.some((code) => isBackupError(error, code))
}

/** Joins the progress of several chains: each counts the same, since their sizes are not known before they are read. */
class ProgressOfChains {
  #before = { done: 0, transferredBytes: 0, objects: 0 }
  #last: Progress | undefined
  #begun = 0

  constructor(
    private readonly chains: number,
    private readonly listener: ProgressListener | undefined,
  ) {}

  /** Returns the listener of the next chain. */
  next(): { readonly onProgress?: ProgressListener } {
    this.#before = this.#sum(this.#last)
    this.#last = undefined
    this.#begun += 1
    const { listener } = this
    if (!listener) return {}
    return {
      onProgress: (progress) => {
        this.#last = progress
        const percent = (100 * (this.#begun - 1) + (progress.percent ?? 0)) / this.chains
        listener({ ...progress, ...this.#sum(progress), total: undefined, percent: Math.min(99.9, percent) })
      },
    }
  }

  finish(): void {
    const sum = this.#sum(this.#last)
    try {
      this.listener?.({ phase: 'copy', step: undefined, ...sum, total: sum.done, percent: 100 })
    } catch {
      // Documented with ProgressListener.
    }
  }

  #sum(last: Progress | undefined): { done: number; transferredBytes: number; objects: number } {
    const { done, transferredBytes, objects } = this.#before
    return {
      done: done + (last?.done ?? 0),
      transferredBytes: transferredBytes + (last?.transferredBytes ?? 0),
      objects: objects + (last?.objects ?? 0),
    }
  }
}
