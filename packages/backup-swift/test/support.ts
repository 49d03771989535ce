import type { DriverCapabilities } from '@stowage/backup-core'
import type { PasswordCredentials, SwiftDriverOptions } from '../src/index.js'
import type { TestCloud } from '../../../test-fixtures/test-cloud/index.js'
import { testUsers } from '../../../test-fixtures/test-cloud/index.js'

/** What the driver declares. */
export const swiftCapabilities: DriverCapabilities = {
  streamingReads: true,
  rangedReads: true,
  streamingBodies: true,
  exclusiveCreate: true,
  containerListing: true,
  modificationTimes: true,
  objectInfo: true,
  eventualListing: true,
  maxObjectNameBytes: 1024,
}

/** demo's password, for the in-process Keystone. */
export function demoPassword(cloud: Pick<TestCloud, 'keystoneUrl'>): PasswordCredentials {
  const { name, password, domain, project } = testUsers.demo
  return {
    method: 'password',
    authUrl: cloud.keystoneUrl,
    username: name,
    password,
    userDomain: { id: domain.id },
    scope: { project: { name: project.name, domain: { id: domain.id } } },
  }
}

/** Retries that cost a test no time. */
export const fast: SwiftDriverOptions = {
  backupSwiftRetryAttempts: 3,
  backupSwiftRetryBackoff: 0.001,
  retryMaxBackoffSeconds: 0.01,
  connectTimeoutSeconds: 2,
  headersTimeoutSeconds: 0.5,
  bodyTimeoutSeconds: 0.5,
  claimSettleSeconds: 0.05,
  env: {},
}

/** Options of a driver that has signed in, and takes a server for Swift. */
export function signedInAt({ origin }: { readonly origin: string }): SwiftDriverOptions {
  const storageUrl = `${origin}/v1/AUTH_raw`
  return {
    ...fast,
    backupSwiftRetryAttempts: 0,
    container: 'c',
    search: 'container',
    tokenProvider: {
      authenticate: () => Promise.resolve({ token: 'token', storageUrl, expiresAt: null }),
    },
  }
}
