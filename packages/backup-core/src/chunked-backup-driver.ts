import { runBackup } from './backup/run-backup.js'
import type {
  BackupCatalog,
  BackupRecord,
  BackupReference,
  BackupResult,
  CatalogFilter,
  CatalogLookup,
} from './contracts/records.js'
import { sortOldestFirst } from './catalog/summary.js'
import { backupNotFound, backupNotFoundBy, type BackupLookup } from './catalog/backup-lookup.js'
import { CallerCatalogLookup, StoreCatalog } from './catalog/store-catalog.js'
import { loadChain, readManifest, type Chain } from './chain/chain.js'
import { Compressors } from './compression/compressors.js'
import type { Compressor } from './contracts/compressor.js'
import { runCopy } from './copy/run-copy.js'
import { runDelete, type DeleteJob } from './delete/run-delete.js'
import { markDriver } from './driver-brand.js'
import { BackupError } from './errors/backup-error.js'
import type {
  BackupRequest,
  CopyOptions,
  CopyResult,
  CopySource,
  CreatedStore,
  DeleteOptions,
  DeleteResult,
  ExportedRecord,
  OrphanOptions,
  OrphanResult,
  RestoreOptions,
  RestoreResult,
  VerifyOptions,
  VerifyResult,
} from './contracts/requests.js'
import { removeOrphans } from './orphans/remove-orphans.js'
import type { OperationOptions, WarningListener } from './contracts/progress.js'
import { decodeRecord, encodeRecord } from './format/record.js'
import type { ChainJob } from './fetch/fetch-object.js'
import { runRestore } from './restore/run-restore.js'
import { assertDeclared, callDriver, checkedStore } from './store/checked-store.js'
import { StoreAccess } from './store/access.js'
import { BackendHooks } from './store/backend-hooks.js'
import { runVerify } from './verify/run-verify.js'
import type { BackupSource, VolumeTarget } from './contracts/volume.js'
import { checkOptions } from './checks/check-options.js'
import {
  signalOptions,
  type DriverCapabilities,
  type ObjectStore,
  type StoreOptions,
} from './contracts/object-store.js'
import { validateCall, chunkedDriverShape } from './settings/option-shapes.js'
import type { ChunkedDriverOptions, DriverDefaults } from './contracts/options.js'
import { resolveSettings, safeListener, type DriverSettings } from './settings/settings.js'
import { asVolumeSource } from './volume/as-volume-source.js'

/**
 * The base class of a backend: chunked, incremental, verified backups in an object store, in the format of Cinder's backup
 * service.
 *
 * A subclass implements the access to its store, in the abstract methods, which {@link ObjectStore} specifies. It inherits
 * the methods that users call. Their names are Cinder's, in camelCase. A subclass has nothing to do with chunks, hashes or
 * metadata.
 */
export abstract class ChunkedBackupDriver extends BackendHooks implements AsyncDisposable {
  /** The capabilities of the store beyond the mandatory hooks. */
  readonly capabilities: DriverCapabilities

  readonly #settings: DriverSettings
  /** The hooks of the subclass, with their errors mapped: what the engine calls. */
  readonly #store: ObjectStore = checkedStore(this)
  /** The catalog that reads the store. It is the driver's catalog unless the caller passed one. */
  readonly #storeCatalog: StoreCatalog
  readonly #catalog: BackupCatalog
  #closing: Promise<void> | undefined

  /**
   * @param options - the caller's options, without those of the subclass
   * @param defaults - the driver's values for options that the caller leaves out
   * @throws `OPTION_INVALID` for invalid options, such as a chunk size that the block size does not divide, and for a hook
   *   that is overridden without its capability, or the reverse
   */
  protected constructor(options: ChunkedDriverOptions, defaults: DriverDefaults) {
    super()
    markDriver(this)
    checkOptions(`the options of ${new.target.name}`, options, chunkedDriverShape)
    this.capabilities = Object.freeze({ ...defaults.capabilities })
    if (defaults.isWrapper !== true) assertDeclared(this, ChunkedBackupDriver.prototype)
    this.#settings = resolveSettings(options, defaults)
    this.#storeCatalog = new StoreCatalog(this.#store, this.#settings.onWarning)
    this.#catalog = options.catalog ?? this.#storeCatalog
  }

  /** The maximum number of bytes of a volume in one object. */
  get chunkSizeBytes(): number {
    return this.#settings.chunkSizeBytes
  }

  /** The size at which changes are found. */
  get blockSizeBytes(): number {
    return this.#settings.blockSizeBytes
  }

  /** The container of backups that name none; null where the driver makes one for each backup. */
  get defaultContainer(): string | null {
    return this.#settings.container
  }

  /** The compressors that the driver reads with. */
  get compressors(): readonly Compressor[] {
    return this.#settings.compressors.all
  }

  /** Cinder's name for this driver, for exported records. */
  get serviceName(): string {
    return this.#settings.serviceName
  }

  /**
   * Backs up a volume: in full, or what changed since the request's parent. The backup exists once its `_metadata` is
   * stored. A failure or an abort removes what was written.
   *
   * @throws `OPTION_INVALID`, `BACKUP_EXISTS`, `BACKUP_NOT_FOUND` (the parent), `CHAIN_INVALID`, `CONFLICT`,
   *   `BLOCK_SIZE_CHANGED`, `VOLUME_GREW`, `METADATA_INVALID`, `OBJECT_MISSING` (of the parent), `MEMORY_LIMIT`,
   *   `NOT_A_FILE`, `SOURCE_READ`, `SOURCE_CHANGED`, `SOURCE_EMPTY`, `SOURCE_SHRANK`, `SOURCE_INCOMPLETE`, `COMPRESSION_FAILED`, `CLOSED`,
   *   `ABORTED`, `CLEANUP_INCOMPLETE`, and the store's errors
   */
  async backup(
    request: BackupRequest,
    source: BackupSource,
    options: OperationOptions = {},
  ): Promise<BackupResult> {
    this.#begin('backup', { request, options })
    const job = {
      store: this.#store,
      openLookup: () => this.#lookup(options),
      catalog: this.#catalog,
      callerCatalog: this.#callerCatalog,
      settings: this.#settings,
      onWarning: this.#warnings(options),
    }
    return runBackup(job, request, asVolumeSource(source), options)
  }

  /**
   * Restores a volume, or a range of it, from a backup and its ancestors. An unsuitable target is rejected before anything is
   * written. Bytes are verified before they are written: an object against its length and MD5, a range of one against its
   * block hashes.
   *
   * @throws `OPTION_INVALID` (such as the range), `BACKUP_NOT_FOUND`, `CHAIN_INVALID`, `METADATA_INVALID`,
   *   `VERSION_UNSUPPORTED`, `COMPRESSION_UNKNOWN`, `COMPRESSION_FAILED`, `OBJECT_MISSING`, `OBJECT_CORRUPT`,
   *   `OBJECT_LIST_MISMATCH` (strict), `TARGET_TOO_SMALL`, `TARGET_NOT_EMPTY`, `TARGET_BUSY`, `TARGET_WRITE`, `NOT_A_FILE`,
   *   `NO_SPACE`, `MEMORY_LIMIT`, `CLOSED`, `ABORTED`, and the store's errors
   */
  async restore(
    backup: BackupReference,
    target: VolumeTarget,
    options: RestoreOptions = {},
  ): Promise<RestoreResult> {
    this.#begin('restore', { backup, target, options })
    return runRestore(await this.#chainJob(backup, options), target, options)
  }

  /**
   * Checks whether a backup can be restored: that every object of its chain exists (`quick`), and that each decompresses to
   * its length and MD5 and the volume's blocks have their hashes (`full`).
   *
   * @throws `VERIFY_FAILED` with every problem in `details.problems`; `CHAIN_INVALID`, `METADATA_INVALID` and others as
   *   for {@link restore}
   */
  async verify(backup: BackupReference, options: VerifyOptions = {}): Promise<VerifyResult> {
    this.#begin('verify', { backup, options })
    return runVerify(await this.#chainJob(backup, options), options)
  }

  /**
   * Deletes a backup, never one that an incremental depends on unless `withDescendants` is set. A delete that was
   * interrupted is finished by deleting the backup again, or rolled back where an incremental was committed meanwhile.
   *
   * @throws `BACKUP_NOT_FOUND`, `HAS_DEPENDENTS`, `DEPENDENTS_UNKNOWN`, `METADATA_INVALID` (without `force`), `CONFLICT`
   *   where another delete of it runs, `DELETE_INCOMPLETE` with the names that are left, and the store's errors
   */
  async deleteBackup(backup: BackupReference, options: DeleteOptions = {}): Promise<DeleteResult> {
    this.#begin('deleteBackup', { backup, options })
    return runDelete(this.#deleteJob(options), backup, options)
  }

  /**
   * Copies a backup with its chain from the store of another driver, as the objects are stored there; `copyBackup` is the
   * same as a function. Cinder restores the copies. What this store has already is left as it is, and what an earlier run
   * has stored is not sent again. A failure or an abort leaves the objects that were copied.
   *
   * @throws `BACKUP_NOT_FOUND`, `CHAIN_INVALID`, `METADATA_INVALID`, `OBJECT_MISSING` and `OBJECT_CORRUPT` with the name of
   *   the damaged object; `BACKUP_EXISTS` where this store has another backup with an id of the chain; `CONFLICT` where one
   *   is being made or deleted here; `OPTION_INVALID`, `MEMORY_LIMIT`, `CLOSED`, `ABORTED`, `CLEANUP_INCOMPLETE`, and the
   *   errors of both stores
   */
  async copyFrom(
    source: CopySource,
    backup: BackupReference,
    options: CopyOptions = {},
  ): Promise<CopyResult> {
    this.#begin('copyFrom', { source, backup, options })
    const chain = await source.getChain(backup, signalOptions(options.signal))
    const { compressors } = this.#settings
    const deps = {
      ...this.#deleteJob(options),
      source: checkedStore(source),
      catalog: this.#catalog,
      openLookup: (io: StoreOptions) => this.#lookup({ ...options, ...io }),
      settings: this.#settings,
      compressors: new Compressors(
        [...compressors.all, ...(source.compressors ?? [])],
        compressors.findMissing,
      ),
    }
    return runCopy(deps, chain, options)
  }

  /**
   * Finds what belongs to no backup, and removes what is older than `olderThanMs`: objects of backups that were killed,
   * their claims, deletes that were interrupted (which are finished, or rolled back), temporary files.
   *
   * @throws `OPTION_INVALID`, `ABORTED`, and the store's errors
   */
  async removeOrphans(options: OrphanOptions = {}): Promise<OrphanResult> {
    this.#begin('removeOrphans', { options })
    return removeOrphans({ ...this.#deleteJob(options), now: this.#settings.clock() }, options)
  }

  /** Returns the record of a backup. Searches `nearContainer` first. @throws `BACKUP_NOT_FOUND` */
  async getBackup(backupId: string, options: CatalogLookup = {}): Promise<BackupRecord> {
    this.#begin('getBackup', { backupId, options })
    if (this.#catalog !== this.#storeCatalog) {
      const record = await this.#catalog.get(backupId, options)
      if (!record) throw backupNotFound(backupId)
      return record
    }
    const lookup = this.#storeCatalog.lookup(options)
    const found = await lookup.find(backupId, options.nearContainer)
    if (!found) throw await backupNotFoundBy(lookup, backupId)
    return found.record
  }

  /** Returns the backups in the store, oldest first, each parent before its children. */
  async listBackups(filter: CatalogFilter = {}): Promise<BackupRecord[]> {
    this.#begin('listBackups', { filter })
    const records: BackupRecord[] = []
    const { idPrefix = '' } = filter
    for await (const record of this.#catalog.list(filter)) {
      if (record.id.startsWith(idPrefix)) records.push(record)
    }
    return sortOldestFirst(records)
  }

  /** Returns a backup and its ancestors, newest first, down to the full backup. @throws `CHAIN_INVALID` where one is missing */
  async getChain(backup: BackupReference, options: StoreOptions = {}): Promise<BackupRecord[]> {
    this.#begin('getChain', { backup, options })
    return (await this.#chain(backup, options)).map((layer) => layer.record)
  }

  /** Returns the record in the form that `cinder backup-import` reads. */
  async exportRecord(backup: BackupReference, options: StoreOptions = {}): Promise<ExportedRecord> {
    this.#begin('exportRecord', { backup, options })
    return encodeRecord(await this.#resolve(backup, options), this.#settings.serviceName)
  }

  /**
   * Imports a record that Cinder or Stowage exported, if its backup is in this store.
   *
   * @throws `RECORD_INVALID`, `OBJECT_MISSING` where the store has no such backup, `METADATA_INVALID`
   */
  async importRecord(record: ExportedRecord, options: StoreOptions = {}): Promise<BackupRecord> {
    this.#begin('importRecord', { record, options })
    const { id, container, prefix } = decodeRecord(record)
    // First by its name alone, so that the error names the missing object.
    await readManifest(new StoreAccess(this.#store, options), { id, container, prefix })
    // A record has the size in whole GiB: the store has the exact size.
    const found = await this.#storeCatalog.get(id, {
      ...signalOptions(options.signal),
      nearContainer: container,
    })
    if (!found) throw backupNotFound(id)
    await this.#catalog.put(found, signalOptions(options.signal))
    return found
  }

  /** Frees the driver's resources. Later calls do nothing; later operations reject with `CLOSED`. */
  close(): Promise<void> {
    this.#closing ??= this.onClose()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * Creates the store if it does not exist. Idempotent: an existing store and its backups do not change. Creates the default
   * container, where the driver has one.
   */
  async createStore(options: StoreOptions = {}): Promise<CreatedStore> {
    this.#begin('createStore', { options })
    const { container } = this.#settings
    if (container !== null) await this.#store.putContainer(container, options)
    await callDriver('use the store', options, () => this.checkForSetupError(options))
    return { outcome: 'ready' }
  }

  /** For a subclass that overrides a public call. @throws `CLOSED` after {@link close} */
  protected assertOpen(): void {
    if (this.#closing) throw new BackupError('CLOSED', 'The driver was closed. Make a new one.')
  }

  /** Reports a warning of the backend, with the code `DRIVER`. What the caller's listener throws is ignored. */
  protected warn(message: string): void {
    this.#settings.onWarning({ code: 'DRIVER', message })
  }

  /** Frees sockets, timers and workers of the backend. Called once, by {@link close}. */
  protected onClose(): Promise<void> {
    return Promise.resolve()
  }

  async #chainJob(
    backup: BackupReference,
    options: OperationOptions & { readonly allowMissingMd5?: boolean },
  ): Promise<ChainJob> {
    const { compressors, concurrency, maxMemoryBytes, maxObjectMemoryBytes, strict } = this.#settings
    const { allowMissingMd5 = false } = options
    const onWarning = this.#warnings(options)
    const chain = await this.#chain(backup, options)
    const limits = { strict, concurrency, maxMemoryBytes, maxObjectMemoryBytes }
    return {
      access: new StoreAccess(this.#store, options),
      chain,
      compressors,
      allowMissingMd5,
      ...limits,
      onWarning,
    }
  }

  /** Reads each manifest of a chain once: the lookup of the newest one may have read the others. */
  async #chain(backup: BackupReference, options: OperationOptions): Promise<Chain> {
    const lookup = this.#lookup(options)
    if (typeof backup !== 'string') return loadChain(lookup, backup)
    const newest = await lookup.find(backup)
    if (!newest) throw await backupNotFoundBy(lookup, backup)
    return loadChain(lookup, newest.record)
  }

  #deleteJob(options: OperationOptions): DeleteJob {
    return {
      store: this.#store,
      catalog: this.#catalog,
      callerCatalog: this.#callerCatalog,
      openLookup: () => this.#lookup(options),
      onWarning: this.#warnings(options),
    }
  }

  /** The caller's catalog; undefined where the store itself is the catalog. */
  get #callerCatalog(): BackupCatalog | undefined {
    return this.#catalog === this.#storeCatalog ? undefined : this.#catalog
  }

  #lookup(options: OperationOptions): BackupLookup {
    const onWarning = this.#warnings(options)
    return this.#catalog === this.#storeCatalog
      ? this.#storeCatalog.lookup(options, onWarning)
      : new CallerCatalogLookup(new StoreAccess(this.#store, options), this.#catalog, onWarning)
  }

  async #resolve(backup: BackupReference, options: StoreOptions): Promise<BackupRecord> {
    return typeof backup === 'string' ? this.getBackup(backup, signalOptions(options.signal)) : backup
  }

  #warnings(options: OperationOptions): WarningListener {
    return options.onWarning ? safeListener(options.onWarning) : this.#settings.onWarning
  }

  /** Checks the arguments of a public call, and that the driver is open. */
  #begin<Call extends Parameters<typeof validateCall>[0]>(
    call: Call,
    args: Parameters<typeof validateCall<Call>>[1],
  ): void {
    validateCall(call, args)
    this.assertOpen()
  }
}
