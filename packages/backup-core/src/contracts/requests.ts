import type { Compressor } from './compressor.js'
import type { ObjectStore, StoreOptions } from './object-store.js'
import type { BackupRecord, BackupReference, CatalogFilter, JsonValue } from './records.js'
import type { OperationOptions } from './progress.js'
import type { VolumeExtent } from './volume.js'

/** The request of a backup. */
export interface BackupRequest {
  readonly volumeId: string
  /** @default a new UUID */
  readonly backupId?: string
  /** Makes an incremental on top of this backup. @default a full backup */
  readonly parent?: BackupReference | null
  /**
   * Makes an incremental on top of the volume's newest intact backup (the one that began last, as in Cinder), or a full
   * backup if there is none. Damaged ones are skipped with the warning `PARENT_PASSED_OVER`. @default false
   */
  readonly incremental?: boolean
  /** @default the driver's */
  readonly container?: string
  readonly name?: string | null
  readonly description?: string | null
  /** Kept as Cinder's `volume_meta`: a string is stored as it is, an object is encoded. @default null */
  readonly volumeMetadata?: string | { readonly [key: string]: JsonValue } | null
  /** Accepts a source of 0 bytes. @default false: rejected with `SOURCE_EMPTY` */
  readonly allowEmpty?: boolean
  /**
   * Accepts, for an incremental, a source with less than half of its parent's bytes.
   * @default false: rejected with `SOURCE_SHRANK`
   */
  readonly allowShrink?: boolean
}

/** Options of `restore`. */
export interface RestoreOptions extends OperationOptions {
  /** Restores only these bytes, at their own offset; the rest of the target is left unchanged, and an empty or new file gets the size of the volume. @default all */
  readonly range?: VolumeExtent
  /** Accepts a target that has data. @default false */
  readonly overwrite?: boolean
  /**
   * Leaves zeros unwritten in a target that reads as zeros. Ranges that no object of the chain covers are never written to
   * such a target. @default true
   */
  readonly sparse?: boolean
  /** Accepts objects whose metadata has no MD5 to check. @default false */
  readonly allowMissingMd5?: boolean
}

/** The result of a restore. */
export interface RestoreResult {
  readonly backupId: string
  /** The volume's size. */
  readonly sizeBytes: number
  /** Bytes that were written to the target. */
  readonly writtenBytes: number
  /** Bytes that were left as zeros in a new target. */
  readonly sparseBytes: number
  /** The number of objects that were fetched. */
  readonly objectsFetched: number
  /** The part of the backup's volume metadata that Cinder restores; null if there is none. */
  readonly volumeMetadata: RestoredVolumeMetadata | null
}

/** The part of Cinder's `volume_meta` that a restore returns. */
export interface RestoredVolumeMetadata {
  /** display_name, display_description and, from version 2 on, encryption_key_id. */
  readonly base: Readonly<Record<string, JsonValue>>
  readonly volume: Readonly<Record<string, JsonValue>>
  readonly glance: Readonly<Record<string, JsonValue>>
}

/** Options of `verify`. */
export interface VerifyOptions extends OperationOptions {
  /**
   * `quick`: checks that every object of the chain exists. `full`: also checks that every object decompresses to its
   * length and MD5, and that the volume's blocks have the hashes of the newest `_sha256file`. @default 'quick'
   */
  readonly level?: 'quick' | 'full'
  readonly allowMissingMd5?: boolean
}

/** The result of a verification that found no problem. Problems are thrown as `VERIFY_FAILED`. */
export interface VerifyResult {
  readonly backupId: string
  readonly level: 'quick' | 'full'
  /** The chain, newest first. */
  readonly chain: readonly string[]
  readonly objectsChecked: number
  readonly blocksChecked: number
  readonly sizeBytes: number
}

/** Options of `deleteBackup`. */
export interface DeleteOptions extends OperationOptions {
  /** Also deletes the backups that depend on it, newest first. @default false: rejected with `HAS_DEPENDENTS` */
  readonly withDescendants?: boolean
  /**
   * Also deletes a backup whose `_metadata` is damaged, and the remaining objects of one without `_metadata`, by their
   * prefix. Ignores possible dependents that cannot be read, with a warning for each; never one that can be read.
   * @default false: rejected with `METADATA_INVALID`, `BACKUP_NOT_FOUND` or `DEPENDENTS_UNKNOWN`
   */
  readonly force?: boolean
}

/** The result of a delete. */
export interface DeleteResult {
  /** Ids of the deleted backups, in the order of their deletion. */
  readonly deleted: readonly string[]
  readonly objectsDeleted: number
}

/**
 * What a copy reads from: any driver. A type of its own, since the two drivers may be of different versions or formats (ESM,
 * CommonJS) of this package.
 */
export interface CopySource extends ObjectStore {
  /** The compressors that verify objects, in addition to those of the destination. @default none */
  readonly compressors?: readonly Compressor[]
  getChain(backup: BackupReference, options?: StoreOptions): Promise<BackupRecord[]>
  listBackups(filter?: CatalogFilter): Promise<BackupRecord[]>
}

/** What a copy writes to: any driver. */
export interface CopyTarget {
  copyFrom(source: CopySource, backup: BackupReference, options?: CopyOptions): Promise<CopyResult>
  listBackups(filter?: CatalogFilter): Promise<BackupRecord[]>
}

/** Options of `copyFrom` and `copyBackup`. */
export interface CopyOptions extends OperationOptions {
  /** The container of the copies. @default that of the destination's driver */
  readonly container?: string
  /**
   * Decompresses each compressed object to verify its content by its MD5, and checks the hash list against the manifests,
   * before the destination stores it. Without this, such objects are verified only where the store has an MD5 of its own;
   * objects that are not compressed always are. @default true
   */
  readonly verify?: boolean
}

/** A backup of the chain that was copied, in the destination. */
export interface CopiedBackup {
  /** In the destination. */
  readonly record: BackupRecord
  /** `present`: the destination had it already. */
  readonly outcome: 'copied' | 'present'
  readonly objectsCopied: number
  /** Data objects that an earlier run had stored. */
  readonly objectsKept: number
  /** Bytes that were stored for it, including its metadata. */
  readonly transferredBytes: number
}

/** The result of a copy. */
export interface CopyResult {
  /** Oldest first. */
  readonly backups: readonly CopiedBackup[]
}

/** Which backups to compare or to copy. */
export interface CopySelection {
  /** Only backups of this volume. @default all */
  readonly volumeId?: string
  /** Only backups that began at this time or later. Their ancestors are copied too. @default all */
  readonly since?: Date
}

/** Options of `diffStores`. */
export interface DiffOptions extends CopySelection, StoreOptions {}

/** The backups of a store that another one lacks. */
export interface StoreDiff {
  /** Oldest first, each parent before its children. */
  readonly missing: readonly BackupRecord[]
  /** The other store has another backup with the same id. A copy of it is rejected. */
  readonly different: readonly BackupRecord[]
}

/** Options of `copyBackups`. */
export interface CopyAllOptions extends CopySelection, CopyOptions {}

/** A backup's record in the form that `cinder backup-import` accepts. */
export interface ExportedRecord {
  /** The name of the driver. */
  readonly backupService: string
  /** base64 of JSON: `driver_info` and the backup's fields. */
  readonly backupUrl: string
}

/** The result of `createStore`. */
export interface CreatedStore {
  /**
   * `created`: the store is new. `marked`: it existed without a mark, and was marked. `unchanged`: it existed. `ready`: it
   * exists, and the backend does not know whether it is new.
   */
  readonly outcome: 'created' | 'marked' | 'unchanged' | 'ready'
}

/** Options of `removeOrphans`. */
export interface OrphanOptions extends Omit<OperationOptions, 'onProgress'> {
  /**
   * Keeps orphans that are younger than this, in milliseconds: a running backup has no `_metadata` yet. The age is that of
   * the newest object under a prefix. 0 removes orphans of any age: use it only while no backup or delete is running.
   * @default 24 hours
   */
  readonly olderThanMs?: number
  /** Finds orphans and removes none. @default false */
  readonly dryRun?: boolean
}

/** Something in a store that belongs to no backup. */
export interface Orphan {
  /**
   * `objects`: data objects and a hash list without `_metadata`, of a killed backup or an interrupted delete. `claim`: of a
   * killed backup. `marker`: of an interrupted delete. `temporary`: a file of a killed writer.
   */
  readonly kind: 'objects' | 'claim' | 'marker' | 'temporary'
  readonly container: string
  /** The prefix of the objects, or the name of the one object. */
  readonly name: string
  /** Null if the prefix may belong to several ids, and for temporary objects. */
  readonly backupId: string | null
  readonly objectCount: number
  /** When the newest object was written; null if the store does not report it. */
  readonly modifiedAt: Date | null
  /** `found`: by a dry run, which removes nothing. `finished`: an interrupted delete was completed. */
  readonly outcome: 'removed' | 'finished' | 'found' | 'kept'
  /** Why it was kept. */
  readonly reason?: string
}

/** The result of `removeOrphans`. */
export interface OrphanResult {
  readonly orphans: readonly Orphan[]
  /** The number of removed objects. */
  readonly objectsRemoved: number
}
