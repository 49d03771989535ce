import { labEnvironment } from '../../../test-fixtures/openstack/lab-environment.js'
import type { LabEnvironment } from '../../../test-fixtures/openstack/lab-environment.js'
import type { S3DriverOptions } from '../src/index.js'

/** The lab that STOWAGE_OPENSTACK names; undefined without one, where its tests are skipped. */
export const lab: LabEnvironment | undefined = labEnvironment()

/** The lab, in a test that is skipped without one. */
export function theLab(): LabEnvironment {
  if (!lab) throw new Error('STOWAGE_OPENSTACK names no lab')
  return lab
}

/** Swift's s3api for the keys of a user of auth v1. */
export function v1Store(): S3DriverOptions & {
  readonly credentials: { accessKeyId: string; secretAccessKey: string }
} {
  const { v1AuthUrl, v1Users } = theLab()
  const { user, key } = v1Users[0] ?? { user: '', key: '' }
  return {
    backupS3EndpointUrl: new URL(v1AuthUrl).origin,
    credentials: { accessKeyId: user, secretAccessKey: key },
    backupS3RetryMaxAttempts: 3,
    retryBackoffSeconds: 0.2,
    env: {},
  }
}
