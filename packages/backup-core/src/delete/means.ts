import type { BackupCatalog } from '../contracts/catalog.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { ProgressMeter } from '../pipeline/progress-meter.js'
import type { WarningListener } from '../contracts/progress.js'
import type { DeleteTarget } from './dependents.js'

/** What one backup is deleted with. */
export interface DeleteMeans {
  readonly store: ObjectStore
  readonly catalog: Pick<BackupCatalog, 'remove'>
  readonly onWarning: WarningListener
  readonly meter: ProgressMeter
  readonly options: StoreOptions
  /** Whether the caller deletes what cannot be read. */
  readonly force: boolean
  /** Rejects where a backup that depends on the target exists, or may exist. Searches anew each time. */
  readonly assertNoDependents: (target: DeleteTarget) => Promise<void>
}

/** Why a backup must be kept. */
export interface Refusal {
  readonly error: Error
  /** Whether `_metadata` may yet be removed: that request was cut off, and something between may hold it. */
  readonly mayStillBeRemoved: boolean
}
