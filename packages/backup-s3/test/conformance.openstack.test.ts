import { driverConformance } from '@stowage/backup-testkit'
import { describe, it } from 'vitest'
import { S3BackupDriver, type S3DriverOptions } from '../src/index.js'
import { emptyBuckets, s3Capabilities } from './support.js'
import { ec2Store, lab, v1Store } from './lab.js'

const kinds: Readonly<Record<string, () => Promise<S3DriverOptions>>> = {
  'the keys of auth v1': () => Promise.resolve(v1Store()),
  'EC2 credentials of Keystone': ec2Store,
}

describe.skipIf(!lab)('on the s3api of a real Swift', () => {
  for (const [label, storeOf] of Object.entries(kinds)) {
    driverConformance({
      describe,
      it,
      label: `S3BackupDriver with ${label}`,
      capabilities: s3Capabilities,
      longListing: 200,
      create: async () => {
        const store = await storeOf()
        return {
          open: (options) => new S3BackupDriver({ ...options, ...store }),
          destroy: () => emptyBuckets(store),
        }
      },
    })
  }
})
