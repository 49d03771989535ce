import type { BackupSource, VolumeTarget } from '../volume/volume.js'
import type { DriverCapabilities } from './capabilities.js'
import type { ObjectReader, ObjectWriter, StoreOptions } from './object-io.js'
import type { FailedDelete, ObjectOptions, ObjectStore } from './object-store.js'
import type { ChunkedDriverOptions, DriverDefaults } from './options.js'
import type {
  BackupRequest,
  DeleteOptions,
  DeleteResult,
  ExportedRecord,
  RestoreOptions,
  RestoreResult,
  VerifyOptions,
  VerifyResult,
} from './requests.js'
import type { BackupRecord, BackupReference, ExtraMetadata, NewBackup } from './types.js'
import type { CatalogFilter } from '../catalog/catalog.js'
import type { OperationOptions } from '../progress/progress.js'

export abstract class ChunkedBackupDriver implements ObjectStore, AsyncDisposable {
  abstract readonly capabilities: DriverCapabilities
  constructor(options: ChunkedDriverOptions, defaults: DriverDefaults) {
    void options
    void defaults
    throw new Error('contract only')
  }

  // What users call
  backup(request: BackupRequest, source: BackupSource, options?: OperationOptions): Promise<BackupRecord> {
    throw new Error()
  }
  restore(backup: BackupReference, target: VolumeTarget, options?: RestoreOptions): Promise<RestoreResult> {
    throw new Error()
  }
  verify(backup: BackupReference, options?: VerifyOptions): Promise<VerifyResult> {
    throw new Error()
  }
  deleteBackup(backup: BackupReference, options?: DeleteOptions): Promise<DeleteResult> {
    throw new Error()
  }
  /** BACKUP_NOT_FOUND when there is none. */
  getBackup(backupId: string, options?: StoreOptions): Promise<BackupRecord> {
    throw new Error()
  }
  /** Oldest first, a parent always before its children. */
  listBackups(filter?: CatalogFilter): Promise<BackupRecord[]> {
    throw new Error()
  }
  /** The chain of a backup, newest first, down to the full backup. */
  getChain(backup: BackupReference, options?: StoreOptions): Promise<BackupRecord[]> {
    throw new Error()
  }
  exportRecord(backup: BackupReference, options?: StoreOptions): Promise<ExportedRecord> {
    throw new Error()
  }
  importRecord(record: ExportedRecord, options?: StoreOptions): Promise<BackupRecord> {
    throw new Error()
  }
  close(): Promise<void> {
    throw new Error()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // What a backend implements
  abstract putContainer(container: string, options: StoreOptions): Promise<void>
  abstract getContainerEntries(
    container: string,
    prefix: string,
    options: StoreOptions,
  ): AsyncIterable<string>
  abstract getObjectWriter(
    container: string,
    objectName: string,
    options: ObjectOptions,
  ): Promise<ObjectWriter>
  abstract getObjectReader(
    container: string,
    objectName: string,
    options: ObjectOptions,
  ): Promise<ObjectReader>
  abstract deleteObject(container: string, objectName: string, options: StoreOptions): Promise<void>
  abstract generateObjectNamePrefix(backup: NewBackup): string
  abstract updateContainerName(backup: NewBackup, container: string | null): string | null
  abstract getExtraMetadata(backup: NewBackup): Promise<ExtraMetadata>
  /** Looks whether the store can be used: reachable, writable, signed in. Rejects with what is wrong. */
  abstract checkForSetupError(options?: StoreOptions): Promise<void>

  // What a backend may override
  deleteObjects(
    container: string,
    objectNames: readonly string[],
    options: StoreOptions,
  ): Promise<FailedDelete[]> {
    throw new Error()
  }
  objectExists(container: string, objectName: string, options: StoreOptions): Promise<boolean> {
    throw new Error()
  }
  getContainers(options: StoreOptions): AsyncIterable<string> {
    throw new Error()
  }
  /** Frees sockets, timers, workers: called once, by `close`. */
  protected onClose(): Promise<void> {
    return Promise.resolve()
  }
}
