import { driverConformance, MemoryBackupDriver, MemoryStore } from '../src/index.js'
import type { DriverConformanceOptions } from '../src/index.js'
import type { BrokenDriver } from './broken-drivers.js'
import { Collector } from './collector.js'
import type { CollectedResult } from './collector.js'

/** Those of {@link MemoryBackupDriver}. */
export const capabilities = {
  streamingReads: true,
  rangedReads: true,
  streamingWrites: true,
  exclusiveCreate: true,
  containerListing: true,
  modificationTimes: true,
  objectInfo: true,
}

/** The driver suite on a driver, not yet run. */
export function collect(
  Driver: BrokenDriver['Driver'],
  options: Partial<DriverConformanceOptions> = {},
): Collector {
  const collector = new Collector()
  driverConformance({
    describe: collector.describe,
    it: collector.it,
    label: 'a driver under test',
    capabilities,
    longListing: 25,
    create: () => {
      const store = new MemoryStore()
      return { open: (driverOptions) => new Driver({ ...driverOptions, store }) }
    },
    ...options,
  })
  return collector
}

/** The tests with an outcome. */
export function namesOf(results: readonly CollectedResult[], outcome: CollectedResult['outcome']): string[] {
  return results.filter((result) => result.outcome === outcome).map(({ name }) => name)
}

/** A driver that declares no capability. */
export class PlainDriver extends MemoryBackupDriver {
  override readonly capabilities = {}

  override async getObjectReader(
    ...call: Parameters<MemoryBackupDriver['getObjectReader']>
  ): ReturnType<MemoryBackupDriver['getObjectReader']> {
    const reader = await super.getObjectReader(...call)
    for (const method of ['stream', 'readRange']) Object.defineProperty(reader, method, { value: undefined })
    return reader
  }
}
