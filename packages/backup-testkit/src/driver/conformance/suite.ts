import type { DriverCapabilities } from '@stowage/backup-core'
import { Fixture } from './fixture.js'
import type { DriverConformanceOptions } from './types.js'

/** What a test may need: a capability, or a listing that can be trusted. */
export type Need = keyof Omit<DriverCapabilities, 'maxObjectNameBytes' | 'eventualListing'> | 'promptListing'

/** Registers one test. */
export type DefineTest = (name: string, body: (fixture: Fixture) => Promise<void> | void, need?: Need) => void

/** The tests of one area. */
export type Area = (test: DefineTest, options: DriverConformanceOptions) => void

/** Registers an area: a store and a driver for each test, and their removal whatever the test does. */
export function defineArea(name: string, area: Area, options: DriverConformanceOptions): void {
  const { describe, it, capabilities } = options
  describe(name, () => {
    area((testName, body, need) => {
      const run = async (): Promise<void> => {
        const fixture = await Fixture.create(options)
        try {
          await body(fixture)
        } finally {
          await fixture.destroy()
        }
      }
      const reason = reasonToSkip(capabilities, need)
      if (reason === undefined) it(testName, run)
      else it.skip?.(`${testName} (skipped: the driver ${reason})`, run)
    }, options)
  })
}

function reasonToSkip(capabilities: DriverCapabilities, need: Need | undefined): string | undefined {
  if (need === undefined) return undefined
  if (need === 'promptListing') return capabilities.eventualListing ? 'declares eventualListing' : undefined
  return capabilities[need] ? undefined : `does not declare ${need}`
}
