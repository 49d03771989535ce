import { driverConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { S3BackupDriver } from '../src/index.js'
import { emptyBuckets, s3Capabilities } from './support.js'
import { v1Store, lab } from './lab.js'

describe.skipIf(!lab)('on the s3api of a real Swift', () => {
  driverConformance({
    describe,
    it,
    label: 'S3BackupDriver with the keys of auth v1',
    capabilities: s3Capabilities,
    longListing: 200,
    create: async () => {
      const store = await Promise.resolve(v1Store())
      return {
        open: (options) => new S3BackupDriver({ ...options, ...store }),
        destroy: () => emptyBuckets(store, /^(?:conformance-|volumebackups$)/),
      }
    },
  })
})
