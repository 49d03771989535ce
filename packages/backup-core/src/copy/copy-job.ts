import type { BackupLookup } from '../catalog/backup-lookup.js'
import type { Chain, ChainLayer } from '../chain/chain.js'
import type { Compressors } from '../compression/compressors.js'
import type { CleanUpDeps } from '../commit/uncommit.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { BackupCatalog, BackupRecord, NewBackup } from '../contracts/records.js'
import type { DriverSettings } from '../settings/settings.js'
import type { BackupLocation } from '../store/access.js'

/** The dependencies of a copy. The store, the catalogs and the settings are those of the destination. */
export interface CopyDeps extends CleanUpDeps {
  readonly source: ObjectStore
  /** Returns a new lookup in the destination. */
  readonly openLookup: (options: StoreOptions) => BackupLookup
  readonly catalog: BackupCatalog
  readonly settings: DriverSettings
  /** Of both drivers. */
  readonly compressors: Compressors
}

/** A backup that the destination does not have. */
export interface MissingBackup {
  /** In the source. */
  readonly layer: ChainLayer
  /** The layer and its ancestors, in the source. */
  readonly chain: Chain
  /** For the names in the destination. */
  readonly backup: NewBackup
  readonly location: BackupLocation
}

/** A backup that the destination has. */
export interface PresentBackup {
  /** In the destination. */
  readonly present: BackupRecord
}
