import { describe, expect, it } from 'vitest'
import { driverConformance, MemoryBackupDriver, MemoryStore } from '../src/index.js'
import type { DriverConformanceOptions } from '../src/index.js'
import { brokenDrivers } from './broken-drivers.js'
import type { BrokenDriver } from './broken-drivers.js'
import { Collector } from './collector.js'
import type { CollectedResult } from './collector.js'
import { WebAbortDriver } from './web-abort-driver.js'

const capabilities = {
  streamingReads: true,
  rangedReads: true,
  streamingWrites: true,
  exclusiveCreate: true,
  containerListing: true,
  modificationTimes: true,
}

function collect(Driver: BrokenDriver['Driver'], options: Partial<DriverConformanceOptions> = {}): Collector {
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

function namesOf(results: readonly CollectedResult[], outcome: CollectedResult['outcome']): string[] {
  return results.filter((result) => result.outcome === outcome).map(({ name }) => name)
}

describe('the conformance suite itself', () => {
  it('passes a sound driver, skips nothing of what it declares, and has each name once', async () => {
    const results = await collect(MemoryBackupDriver).run()
    expect(namesOf(results, 'failed')).toEqual([])
    for (const name of namesOf(results, 'skipped')) expect(name).toMatch(/temporaryObjects|localFiles/)
    expect(results.length).toBeGreaterThan(150)
    const names = results.map(({ name }) => name)
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
  })

  it('passes a driver that reports aborts in the web’s own way', async () => {
    expect(namesOf(await collect(WebAbortDriver).run(), 'failed')).toEqual([])
  })

  for (const { fault, foundBy, Driver } of brokenDrivers) {
    it(`fails a driver of which ${fault}, in the test that names it`, async () => {
      const failed = namesOf(await collect(Driver).run(foundBy), 'failed')
      expect(failed.sort()).toEqual([...foundBy].sort())
    })
  }

  it('fails a driver that declares other capabilities than the suite was given', async () => {
    const name = 'the driver declares the capabilities of the suite’s options'
    const declared = { ...capabilities, eventualListing: true }
    const results = await collect(MemoryBackupDriver, { capabilities: declared }).run([name])
    expect(namesOf(results, 'failed')).toEqual([name])
  })

  it('skips the tests of what is not declared, and says so in their names', async () => {
    const none = class extends MemoryBackupDriver {
      override readonly capabilities = {}

      override async getObjectReader(...call: Parameters<MemoryBackupDriver['getObjectReader']>) {
        const reader = await super.getObjectReader(...call)
        for (const method of ['stream', 'readRange'])
          Object.defineProperty(reader, method, { value: undefined })
        return reader
      }
    }
    const results = await collect(none, { capabilities: {} }).run()
    const skipped = namesOf(results, 'skipped')
    expect(namesOf(results, 'failed')).toEqual([])
    expect(skipped.length).toBeGreaterThan(10)
    for (const name of skipped) expect(name).toMatch(/ \(skipped: the driver does not declare \w+\)$/)
  })

  it('leaves skipped tests out where the runner has no skip', () => {
    const names: string[] = []
    const it = (name: string): void => void names.push(name)
    const describe = (_name: string, body: () => void): void => {
      body()
    }
    const create = (): never => {
      throw new Error('never called')
    }
    driverConformance({ describe, it, label: 'a driver', capabilities: {}, create })
    expect(names.length).toBeGreaterThan(100)
    expect(names.filter((name) => name.includes('skipped'))).toEqual([])
  })
})
