import type { BackendPackage } from '@stowage/backup-core'
import { timeLimitsOf, withoutUndefined } from '@stowage/http'
import { containerOfUrl, getBackupDriverForUrl } from './get-backup-driver.js'

/** The options of the `stowage` command for `swift:` stores. */
const flags = {
  'os-cloud': {
    valueName: 'name',
    // The driver reads OS_CLOUD itself: credentials of a cinder.conf take precedence over it.
    description: 'a cloud of clouds.yaml (default: OS_CLOUD, else OS_* or ST_*)',
  },
  'cinder-conf': {
    valueName: 'file',
    description: 'a cinder.conf with backup_swift_… options',
    env: 'STOWAGE_CINDER_CONF',
  },
} as const

/** What the `stowage` command loads for `--store swift://…`. */
export const stowageBackend: BackendPackage<typeof flags> = {
  schemes: ['swift'],
  urlSyntax: ['swift://CONTAINER'],
  flags,
  checkUrl: (url) => {
    containerOfUrl(url)
  },
  open: (
    url,
    { driverOptions, flags: { 'os-cloud': cloud, 'cinder-conf': cinderConf }, env, create, network },
  ) =>
    getBackupDriverForUrl(url, {
      ...driverOptions,
      ...timeLimitsOf(network),
      ...withoutUndefined({ backupSwiftRetryAttempts: network.retries }),
      // An explicit option takes precedence, also `none`.
      backupCompressionAlgorithm: driverOptions.compression?.name ?? 'none',
      ...(cloud === undefined ? {} : { cloud }),
      ...(cinderConf === undefined ? {} : { cinderConf }),
      env,
      // Containers are created by default; this overrides a cinder.conf that forbids it.
      ...(create ? { backupCreateContainers: true } : {}),
    }),
}
