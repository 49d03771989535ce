import { describe, expect, it } from 'vitest'
import { driverConformance, MemoryBackupDriver } from '../src/index.js'
import { brokenDrivers } from './broken-drivers.js'
import { capabilities, collect, namesOf, PlainDriver } from './collect.js'
import { WebAbortDriver } from './web-abort-driver.js'

describe('the conformance suite itself', () => {
  it('skips nothing of what a driver declares, and has each name once', () => {
    // memory.test.ts runs them.
    const { names } = collect(MemoryBackupDriver)
    for (const name of names.filter((name) => name.includes('(skipped: '))) {
      expect(name).toMatch(/temporaryObjects|localFiles/)
    }
    expect(names.length).toBeGreaterThan(150)
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
  })

  it('passes a driver that reports aborts in the web’s own way, in the tests of aborts', async () => {
    const collector = collect(WebAbortDriver)
    const ofAborts = collector.names.filter((name) => /abort/i.test(name))
    expect(ofAborts.length).toBeGreaterThan(10)
    expect(namesOf(await collector.run(ofAborts), 'failed')).toEqual([])
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
    const collector = collect(PlainDriver, { capabilities: {} })
    // self.slow.test.ts runs all.
    const some = collector.names.filter((name, at) => at % 5 === 0 || name.includes('skipped'))
    const results = await collector.run(some)
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
