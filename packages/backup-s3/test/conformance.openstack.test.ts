import { driverConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { S3BackupDriver } from '../src/index.js'
import { emptyBuckets, s3Capabilities } from './support.js'
import { lab, v1Store } from './lab.js'

describe.skipIf(!lab)('on the s3api of a real Swift', () => {
  driverConformance({
    describe,
    it,
    label: 'S3BackupDriver with the keys of auth v1',
    capabilities: s3Capabilities,
    longListing: 200,
    create: () =>
      Promise.resolve({
        open: (options) => new S3BackupDriver({ ...options, ...v1Store() }),
        destroy: () => emptyBuckets(v1Store()),
      }),
  })
})
