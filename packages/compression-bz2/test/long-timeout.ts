import type { ConformanceIt } from '@stowage/backup-testkit'
import { it } from 'vitest'

/** bzip2 is slow, and slower while other tests run. */
export const timeoutMs = 120_000

/** Registers a test with a timeout of two minutes. */
export const withLongTimeout: ConformanceIt = Object.assign(
  (name: string, body: () => Promise<void>): void => {
    it(name, { timeout: timeoutMs }, body)
  },
  { skip: it.skip },
)
