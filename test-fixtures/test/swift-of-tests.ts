import type { SwiftDriverOptions } from '@stowage/backup-swift'
import { SwiftBackupDriver } from '@stowage/backup-swift'
import { testUsers, type TestCloud } from '../test-cloud/index.js'

/** A driver that searches one container of the cloud, and whose waits cost a test no time. */
export function swiftOf(
  cloud: TestCloud,
  container: string,
  options: SwiftDriverOptions = {},
): SwiftBackupDriver {
  const { name, password, domain, project } = testUsers.demo
  return new SwiftBackupDriver({
    container,
    search: 'container',
    claimSettleSeconds: 0.01,
    backupSwiftRetryAttempts: 3,
    backupSwiftRetryBackoff: 0.001,
    env: {},
    credentials: {
      method: 'password',
      authUrl: cloud.keystoneUrl,
      username: name,
      password,
      userDomain: { id: domain.id },
      scope: { project: { name: project.name, domain: { id: domain.id } } },
    },
    ...options,
  })
}
