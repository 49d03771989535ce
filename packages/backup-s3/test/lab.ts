import { labEnvironment } from '../../../test-fixtures/openstack/lab-environment.js'
import type { LabEnvironment } from '../../../test-fixtures/openstack/lab-environment.js'
import type { S3Credentials, S3DriverOptions } from '../src/index.js'

/** The lab that STOWAGE_OPENSTACK names; undefined without one, where its tests are skipped. */
export const lab: LabEnvironment | undefined = labEnvironment()

/** The lab, in a test that is skipped without one. */
export function theLab(): LabEnvironment {
  if (!lab) throw new Error('STOWAGE_OPENSTACK names no lab')
  return lab
}

/** Options for the lab that keep a failing test from taking minutes. */
const labOptions: S3DriverOptions = { backupS3RetryMaxAttempts: 3, retryBackoffSeconds: 0.2, env: {} }

/** The URL of the s3api that takes {@link v1Keys}. */
export function v1Endpoint(): string {
  return new URL(theLab().v1AuthUrl).origin
}

/** The keys of a user of auth v1. */
export function v1Keys(): S3Credentials {
  const { user, key } = theLab().v1Users[0] ?? { user: '', key: '' }
  return { accessKeyId: user, secretAccessKey: key }
}

/** Swift's s3api for the keys of a user of auth v1. */
export function v1Store(): S3DriverOptions {
  return { ...labOptions, backupS3EndpointUrl: v1Endpoint(), credentials: v1Keys() }
}

/** Swift's s3api for EC2 credentials of demo's in Keystone, which are created. */
export async function ec2Store(): Promise<S3DriverOptions> {
  const { keystoneUrl, swiftUrl, users } = theLab()
  const { id, password, projectId } = users.demo
  const signIn = await fetch(`${keystoneUrl}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      auth: {
        identity: { methods: ['password'], password: { user: { id, password } } },
        scope: { project: { id: projectId } },
      },
    }),
  })
  await signIn.body?.cancel()
  const created = await fetch(`${keystoneUrl}/users/${id}/credentials/OS-EC2`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-auth-token': signIn.headers.get('x-subject-token') ?? '',
    },
    body: JSON.stringify({ tenant_id: projectId }),
  })
  const { credential } = (await created.json()) as { credential: { access: string; secret: string } }
  return {
    ...labOptions,
    backupS3EndpointUrl: swiftUrl,
    credentials: { accessKeyId: credential.access, secretAccessKey: credential.secret },
  }
}
