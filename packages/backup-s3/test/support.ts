import type { DriverCapabilities } from '@stowage/backup-core'
import { connect } from '../src/connect.js'
import { resolveOptions } from '../src/config/resolve-options.js'
import { S3BackupDriver, type S3DriverOptions } from '../src/index.js'
import { listBuckets } from '../src/s3/buckets.js'
import { discard } from '@stowage/http'
import { testKeys, type TestS3 } from '../../../test-fixtures/test-s3/index.js'

export const s3Capabilities: DriverCapabilities = {
  streamingReads: true,
  rangedReads: true,
  streamingBodies: true,
  exclusiveCreate: false,
  containerListing: true,
  modificationTimes: true,
  objectInfo: true,
  temporaryObjects: true,
  eventualListing: true,
  maxObjectNameBytes: 1024,
}

/** Options for a server of this process, which wait for nothing. */
export function optionsFor(s3: TestS3): S3DriverOptions {
  return {
    backupS3EndpointUrl: s3.origin,
    credentials: testKeys,
    backupS3RetryMaxAttempts: 4,
    retryBackoffSeconds: 0.01,
    headersTimeoutSeconds: 5,
    bodyTimeoutSeconds: 5,
    env: {},
  }
}

/** Deletes the buckets of the keys whose names match: other tests use the same account at the same time. */
export async function emptyBuckets(options: S3DriverOptions, names: RegExp): Promise<void> {
  await using driver = new S3BackupDriver(options)
  const transport = connect(options, resolveOptions(options))
  try {
    for await (const bucket of listBuckets(transport)) {
      if (!names.test(bucket)) continue
      const objects: string[] = []
      for await (const name of driver.getContainerEntries(bucket, '', {})) objects.push(name)
      await driver.deleteObjects(bucket, objects, {})
      await transport.send({
        ...{ method: 'DELETE', bucket, what: `Deleting bucket ${bucket}` },
        ...{ accept: [204, 404], sink: discard },
      })
    }
  } finally {
    await transport.close()
  }
}
