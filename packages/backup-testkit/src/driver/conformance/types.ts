import type { ConformanceRunner } from '../../runner.js'
import type { ChunkedBackupDriver, ChunkedDriverOptions, DriverCapabilities } from '@stowage/backup-core'

/** A store for one test. */
export interface ConformanceStore {
  /**
   * A new driver on this store. Called several times in a test, as if several processes used the store. The suite
   * closes every driver it asked for.
   */
  open(options: ChunkedDriverOptions): ChunkedBackupDriver | Promise<ChunkedBackupDriver>
  /** Removes the store, after the drivers are closed and also after a failed test. */
  destroy?(): void | Promise<void>
}

/** What {@link driverConformance} takes. */
export interface DriverConformanceOptions extends ConformanceRunner {
  /** For the name of the suite: the name of the driver. */
  readonly label: string
  /**
   * The driver's own `capabilities`, repeated: the tests of a capability that is not declared are skipped, and say so
   * in their names. One test compares the two.
   */
  readonly capabilities: DriverCapabilities
  /**
   * A store for one test: a new one, or always the same. The suite makes up containers, volume ids and backup ids
   * for each test, and counts on nothing that is in the store already.
   */
  readonly create: () => ConformanceStore | Promise<ConformanceStore>
  /** Makes the one container that all tests use, for a store where containers are expensive. @default one a test */
  readonly container?: string
  /** How many objects the test of a long listing writes: more than one page of the store's. @default 1100 */
  readonly longListing?: number
}
