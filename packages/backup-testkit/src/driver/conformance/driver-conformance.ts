import { backups } from './backups.js'
import { catalogs } from './catalogs.js'
import { commits } from './commits.js'
import { containers } from './containers.js'
import { copies } from './copies.js'
import { deleting } from './deleting.js'
import { incrementals } from './incrementals.js'
import { listing } from './listing.js'
import { naming } from './naming.js'
import { parents } from './parents.js'
import { readers } from './readers.js'
import { restores } from './restores.js'
import { sameId } from './same-id.js'
import { setup } from './setup.js'
import { signals } from './signals.js'
import { defineArea } from './suite.js'
import type { Area } from './suite.js'
import type { DriverConformanceOptions } from './types.js'
import { writers } from './writers.js'

const areas: Readonly<Record<string, Area>> = {
  'setting up': setup,
  containers,
  'object writers': writers,
  'object readers': readers,
  listings: listing,
  deleting,
  names: naming,
  'abort signals': signals,
  backups,
  incrementals,
  'restores and verifications': restores,
  'finding, deleting and exporting backups': catalogs,
  commits,
  'two backups of one id': sameId,
  'copies to and from another store': copies,
  'parents, incrementals and deletes at the same time': parents,
}

/**
 * Registers the tests that every backend must pass: of the hooks, as the engine calls them, and of whole backups.
 *
 * @example
 * ```ts
 * import { describe, it } from 'vitest'
 * driverConformance({
 *   describe,
 *   it,
 *   label: 'MyBackupDriver',
 *   capabilities: { rangedReads: true },
 *   create: () => {
 *     const store = new MyTestStore()
 *     return { open: (options) => new MyBackupDriver({ store, ...options }), destroy: () => store.remove() }
 *   },
 * })
 * ```
 */
export function driverConformance(options: DriverConformanceOptions): void {
  options.describe(`driver conformance: ${options.label}`, () => {
    for (const [name, area] of Object.entries(areas)) defineArea(name, area, options)
  })
}
