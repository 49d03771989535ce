import { driverConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { TestS3, type TestS3Options } from '../../../test-fixtures/test-s3/index.js'
import { S3BackupDriver, type S3DriverOptions } from '../src/index.js'
import { optionsFor, s3Capabilities } from './support.js'

/** Servers that differ from Amazon's, and the options with which they are used. */
const servers: Readonly<Record<string, readonly [server: TestS3Options, options: S3DriverOptions]>> = {
  'an S3 without conditions': [{ conditionalPut: false }, {}],
  'an S3 with conditions': [{}, { conditionalPut: true }],
  'an S3 whose ETags are no MD5s': [{ etags: 'kms', listingLimit: 40 }, {}],
}

for (const [label, [server, options]] of Object.entries(servers)) {
  driverConformance({
    describe,
    it,
    label: `S3BackupDriver on ${label}`,
    capabilities: { ...s3Capabilities, exclusiveCreate: options.conditionalPut === true },
    longListing: 120,
    create: async () => {
      const s3 = await TestS3.start(server)
      return {
        open: (base) => new S3BackupDriver({ ...base, ...optionsFor(s3), ...options }),
        destroy: () => s3.close(),
      }
    },
  })
}
