import { createHash } from 'node:crypto'
import { summarise } from '../catalog/summary.js'
import { parseManifestBytes } from '../delete/marker.js'
import { claimPrefix, claimReleaseOptions, type Claim } from '../commit/claim.js'
import { assertMayCommit, assertObjectsExist, allOf, type CommitSubject } from '../commit/commit-checks.js'
import { assertContainerIsSearched, assertContainerIsSearchedNow } from '../commit/location.js'
import { BackupObjectWriter } from '../commit/object-writer.js'
import { CLEAN_UP_MS, uncommit } from '../commit/uncommit.js'
import { signalOptions, type ReplayableBody, type StoreOptions } from '../contracts/object-store.js'
import type { BackupRecord } from '../contracts/records.js'
import { BackupError, isBackupError, throwIfAborted, type BackupErrorCode } from '../errors/backup-error.js'
import { messageOf } from '../errors/error-mapper.js'
import { renameManifest, type RenamedManifest } from '../format/manifest-names.js'
import { manifestObjectName } from '../format/object-names.js'
import type { ProgressMeter } from '../pipeline/progress-meter.js'
import { controlObjectNames, StoreAccess } from '../store/access.js'
import { readManifest } from '../chain/chain.js'
import { copyHashList } from './copy-hash-list.js'
import type { CopyDeps, MissingBackup } from './copy-job.js'
import { copyObjects, type CopiedObjects } from './copy-objects.js'
import { assertSameBackup } from './same-backup.js'

/** How one backup is copied. */
export interface BackupCopyOptions {
  readonly signal: AbortSignal | undefined
  readonly verify: boolean
  readonly meter: ProgressMeter
}

/** A backup in the destination, and what was sent for it. */
export interface CopyOutcome extends CopiedObjects {
  readonly record: BackupRecord
  /** `present`: another run committed it before. */
  readonly outcome: 'copied' | 'present'
}

/**
 * Copies one backup: its data objects, the hash list, and the manifest last, which commits it. The checks of the commit are
 * those of a backup. After a failure the stored objects stay, so that the next run has less to send.
 *
 * @param parent - in the destination
 */
export async function copyOneBackup(
  deps: CopyDeps,
  missing: MissingBackup,
  parent: BackupRecord | null,
  options: BackupCopyOptions,
): Promise<CopyOutcome> {
  const { signal } = options
  throwIfAborted(signal, 'The copy')
  const { store, source } = deps
  const { backup, location, layer } = missing
  const storeOptions = signalOptions(signal)
  const { container, prefix } = location
  const { record } = layer
  const text = await new StoreAccess(source, storeOptions).read(
    record.container,
    manifestObjectName(record.prefix),
  )
  const manifest = await parseManifestBytes(text, record)
  const renamed = await renameManifest(text, manifest, record.prefix, {
    prefix,
    parentPrefix: parent?.prefix,
  })
  const containerListedLater = await assertContainerIsSearched(
    store,
    deps.openLookup(storeOptions),
    parent,
    container,
  )
  await store.putContainer(container, storeOptions)
  const copyOf = await checksumOfBody(renamed.body)
  const claim = await claimPrefix(store, { backup, container, prefix, copyOf }, storeOptions)
  const run = new BackupCopy(deps, missing, parent, renamed, options)
  let outcome: CopyOutcome
  try {
    outcome = await run.copy(containerListedLater)
  } catch (error) {
    await claim.release(claimReleaseOptions()).catch(() => undefined)
    throw run.isTakenBack ? error : withAdvice(error, record.id)
  }
  await releaseClaim(deps, claim, record.id)
  return outcome
}

async function checksumOfBody(body: ReplayableBody): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of body.stream()) hash.update(piece)
  return `sha256:${hash.digest('hex')}`
}

/** A claim that cannot be removed does not affect the backup. */
async function releaseClaim({ onWarning }: CopyDeps, claim: Claim, backupId: string): Promise<void> {
  try {
    await claim.release(claimReleaseOptions())
  } catch (error) {
    const message = `Backup ${backupId} is complete, but its claim ${claim.objectName} could not be deleted: ${messageOf(error)} \`removeOrphans\` removes it once it is a day old.`
    onWarning({ code: 'CLAIM_LEFT', message, backupId })
  }
}

/** Codes of a condition of the commit that does not hold. */
const violations: readonly BackupErrorCode[] = [
  'CHAIN_INVALID',
  'BACKUP_EXISTS',
  'CONFLICT',
  'OBJECT_MISSING',
]

/** Copies a backup whose prefix is claimed. */
class BackupCopy {
  readonly #writer: BackupObjectWriter
  readonly #target: StoreAccess
  readonly #source: StoreAccess
  readonly #subject: CommitSubject
  readonly #options: StoreOptions
  /** Whether the backup was committed and deleted again. */
  isTakenBack = false

  constructor(
    private readonly deps: CopyDeps,
    private readonly missing: MissingBackup,
    private readonly parent: BackupRecord | null,
    private readonly renamed: RenamedManifest,
    private readonly options: BackupCopyOptions,
  ) {
    const { store } = deps
    const { container, prefix } = missing.location
    this.#options = signalOptions(options.signal)
    this.#target = new StoreAccess(store, this.#options)
    this.#source = new StoreAccess(deps.source, this.#options)
    this.#writer = new BackupObjectWriter(store, container, Promise.resolve())
    const backupId = missing.backup.id
    this.#subject = { store, backupId, container, prefix, idGiven: true, parent, operation: 'copy' }
  }

  /** @param containerListedLater - the driver lists the container once it has objects */
  async copy(containerListedLater: boolean): Promise<CopyOutcome> {
    const { deps, missing } = this
    const { location } = missing
    const [manifestName, sha256fileName] = controlObjectNames(location.prefix)
    if (await this.#target.exists(location.container, manifestName)) return this.#present()
    const names = this.renamed.manifest.objects.map(({ name }) => name)
    const existing = (await this.#target.list(location)).own
    const copied = await this.#copyObjects(existing)
    const hashList = {
      ...{ access: this.#target, container: location.container, objectName: sha256fileName },
      ...{ writer: this.#writer, exists: existing.has(sha256fileName) },
    }
    const { meter } = this.options
    meter.begin('store-hash-list')
    const { lengthBytes, isSent } = await copyHashList(this.#source, missing.chain, hashList, {
      ...this.#options,
      verify: this.options.verify,
    })
    meter.add({ transferredBytes: isSent ? lengthBytes : 0 })
    await this.#removeUnnamed(existing, new Set([...names, sha256fileName]))
    if (containerListedLater)
      await assertContainerIsSearchedNow(deps.openLookup(this.#options), this.parent, location.container)
    await this.#assertMayCommit(this.#options)
    meter.begin('store-metadata')
    const { body } = this.renamed
    try {
      await this.#writer.write(manifestName, body, { ...this.#options, extraMetadata: null })
    } catch (error) {
      // By another run of this copy, which has the claim too, or by this one, and the response was lost.
      if (await this.#target.exists(location.container, manifestName)) return this.#present()
      throw error
    }
    meter.add({ transferredBytes: body.lengthBytes })
    await this.#checkCommit([...names, sha256fileName, manifestName])
    const transferredBytes = copied.transferredBytes + (isSent ? lengthBytes : 0) + body.lengthBytes
    return { ...copied, transferredBytes, record: this.#record(), outcome: 'copied' }
  }

  /** Checks the conditions of the commit once more. An abort does not end that: a delete may have begun in between. */
  async #checkCommit(names: readonly string[]): Promise<void> {
    const options = { signal: AbortSignal.timeout(CLEAN_UP_MS) }
    try {
      await allOf([
        () => this.#assertMayCommit(options),
        () => assertObjectsExist(this.#subject, names, options),
      ])
    } catch (error) {
      throw await this.#takeBack(error)
    }
  }

  #assertMayCommit(options: StoreOptions): Promise<void> {
    return assertMayCommit(() => this.deps.openLookup(options), this.#subject, options)
  }

  /**
   * Deletes the committed backup where a condition does not hold. It stays where that could not be found out: another run of
   * this copy may have returned it, and the next run checks it again.
   */
  async #takeBack(failure: unknown): Promise<unknown> {
    if (!violations.some((code) => isBackupError(failure, code))) return failure
    const { location, backup } = this.missing
    const target = { id: backup.id, volumeId: backup.volumeId, ...location }
    const signal = AbortSignal.timeout(CLEAN_UP_MS)
    this.isTakenBack = true
    return uncommit(this.deps, target, this.#writer.names, failure, signal)
  }

  #copyObjects(existing: ReadonlySet<string>): Promise<CopiedObjects> {
    const { source: store, settings, compressors, onWarning } = this.deps
    const { layer, location } = this.missing
    const job = { access: new StoreAccess(store, this.#options), compressors, onWarning }
    const items = layer.manifest.objects.map((object, index) => ({
      ...{ layer, object },
      targetName: this.renamed.manifest.objects[index]?.name ?? '',
    }))
    const target = { store: this.deps.store, container: location.container, writer: this.#writer, existing }
    return copyObjects(job, items, target, { ...this.options, settings })
  }

  /** Removes what another backup left under the prefix: Cinder refuses to restore a backup with more objects. */
  async #removeUnnamed(existing: ReadonlySet<string>, named: ReadonlySet<string>): Promise<void> {
    const { container } = this.missing.location
    const unnamed = [...existing].filter((name) => !named.has(name))
    if (unnamed.length === 0) return
    const [failed] = await this.deps.store.deleteObjects(container, unnamed, this.#options)
    if (failed) throw failed.error
  }

  /** Another run of this copy committed the backup, which the catalog or the listing does not have yet. */
  async #present(): Promise<CopyOutcome> {
    const { layer, location, backup } = this.missing
    const record = this.#record()
    const found = { record, manifest: await readManifest(this.#target, { id: backup.id, ...location }) }
    assertSameBackup(layer, found)
    const [, sha256fileName] = controlObjectNames(location.prefix)
    const names = [...found.manifest.objects.map(({ name }) => name), sha256fileName]
    await allOf([
      () => this.#assertMayCommit(this.#options),
      () => assertObjectsExist(this.#subject, names, this.#options),
    ])
    const objectsKept = found.manifest.objects.length
    return { record, outcome: 'present', objectsCopied: 0, objectsKept, transferredBytes: 0 }
  }

  /** The record of the copy: the size is that of the source, where a caller's catalog may have the exact one. */
  #record(): BackupRecord {
    const { sizeBytes, sizeIsMinimum } = this.missing.layer.record
    const { record } = summarise(this.missing.location, this.renamed.manifest)
    return { ...record, sizeBytes, ...(sizeIsMinimum ? { sizeIsMinimum } : {}) }
  }
}

/** Returns the error for a copy that failed, which names the backup and states how to continue. */
function withAdvice(error: unknown, backupId: string): unknown {
  if (!isBackupError(error)) return error
  const message = `${error.message} Objects that were copied are kept: copy the backup again to continue, or \`removeOrphans\` removes them once they are a day old.`
  return new BackupError(error.code, message, { backupId, ...error.details, cause: error })
}
