import { driverConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import { TestCloud } from '../../../test-fixtures/test-cloud/index.js'
import { demoPassword, swiftCapabilities } from './support.js'

for (const bulkDelete of [true, false]) {
  driverConformance({
    describe,
    it,
    label: `SwiftBackupDriver on the in-process Swift, bulk delete: ${bulkDelete}`,
    capabilities: swiftCapabilities,
    create: async () => {
      const cloud = await TestCloud.start({ bulkDelete, listingLimit: 100 })
      return {
        open: (options) =>
          new SwiftBackupDriver({
            ...options,
            credentials: demoPassword(cloud),
            env: {},
            claimSettleSeconds: 0.02,
          }),
        destroy: () => cloud.close(),
      }
    },
  })
}
