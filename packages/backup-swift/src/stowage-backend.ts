import type { BackendPackage, NetworkLimits } from '@stowage/backup-core'
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
      ...limitsOf(network),
      // An explicit option takes precedence, also `none`.
      backupCompressionAlgorithm: driverOptions.compression?.name ?? 'none',
      ...(cloud === undefined ? {} : { cloud }),
      ...(cinderConf === undefined ? {} : { cinderConf }),
      env,
      // Containers are created by default; this overrides a cinder.conf that forbids it.
      ...(create ? { backupCreateContainers: true } : {}),
    }),
}

/** The connect timeout: the driver's default, or less where the user's is less. */
function limitsOf({ timeoutMs, retries, retryDeadlineMs }: NetworkLimits): Record<string, number> {
  const timeoutSeconds = (timeoutMs ?? 0) / 1000
  return {
    ...(timeoutMs === undefined
      ? {}
      : {
          connectTimeoutSeconds: Math.min(10, timeoutSeconds),
          headersTimeoutSeconds: timeoutSeconds,
          bodyTimeoutSeconds: timeoutSeconds,
          progressWindowSeconds: timeoutSeconds,
          // The driver's default, or the longest wait for the head and within the body.
          exchangeTimeoutSeconds: Math.max(600, 2 * timeoutSeconds),
        }),
    ...(retries === undefined ? {} : { backupSwiftRetryAttempts: retries }),
    ...(retryDeadlineMs === undefined ? {} : { retryDeadlineSeconds: retryDeadlineMs / 1000 }),
  }
}
