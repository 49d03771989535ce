import { driverConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { TestS3 } from '../../../test-fixtures/test-s3/index.js'
import { S3BackupDriver } from '../src/index.js'
import { optionsFor, s3Capabilities } from './support.js'

driverConformance({
  describe,
  it,
  label: 'S3BackupDriver on an S3 without conditions',
  capabilities: s3Capabilities,
  longListing: 120,
  create: async () => {
    const s3 = await TestS3.start({ conditionalPut: false })
    return {
      open: (base) => new S3BackupDriver({ ...base, ...optionsFor(s3) }),
      destroy: () => s3.close(),
    }
  },
})
