import { driverConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import { demoToken, emptyAccount } from './lab-account.js'
import { lab, passwordOf, plainRegion, theLab } from './lab.js'
import { swiftCapabilities } from './support.js'

describe.skipIf(!lab)('on a real Swift', () => {
  driverConformance({
    describe,
    it,
    label: 'SwiftBackupDriver on a real Swift with a real Keystone',
    capabilities: swiftCapabilities,
    longListing: 200,
    create: async () => {
      const { token, storageUrl } = await demoToken()
      return {
        open: (options) =>
          new SwiftBackupDriver({
            ...options,
            ...plainRegion(),
            // Longer than this Swift, on the same machine, takes for a claim of some hundred bytes.
            claimSettleSeconds: 0.5,
            credentials: passwordOf(theLab().users.demo),
          }),
        destroy: () => emptyAccount(storageUrl, token),
      }
    },
  })
})
