import type { BackendPackage } from '@stowage/backup-core'
import { timeLimitsOf, withoutUndefined } from '@stowage/http'
import { bucketOfUrl, getBackupDriverForUrl } from './get-backup-driver.js'

/** The options of the `stowage` command for `s3:` stores. */
const flags = {
  's3-endpoint': {
    valueName: 'url',
    description: 'the URL of the S3 server (default: AWS_ENDPOINT_URL_S3, or Amazon S3)',
    env: 'STOWAGE_S3_ENDPOINT',
  },
  's3-region': {
    valueName: 'name',
    description: 'the region that signatures name (default: AWS_REGION, or us-east-1)',
  },
  's3-profile': {
    valueName: 'name',
    description: 'a profile of the AWS command line (default: AWS_PROFILE, unless AWS_ACCESS_KEY_ID is set)',
  },
  's3-virtual-host': {
    kind: 'boolean',
    description: 'the bucket is in the host name of URLs, not in their path',
  },
  's3-conditional-put': {
    kind: 'boolean',
    description: 'create objects with If-None-Match, where the store implements it',
  },
  'cinder-conf': {
    valueName: 'file',
    description: 'a cinder.conf with backup_s3_… options',
    env: 'STOWAGE_CINDER_CONF',
  },
} as const

/** What the `stowage` command loads for `--store s3://…`. */
export const stowageBackend: BackendPackage<typeof flags> = {
  schemes: ['s3'],
  urlSyntax: ['s3://BUCKET'],
  flags,
  checkUrl: (url) => {
    bucketOfUrl(url)
  },
  open: (url, { driverOptions, flags: given, env, create, network }) => {
    const { 's3-endpoint': endpoint, 's3-region': region, 's3-profile': profile } = given
    const { 's3-virtual-host': virtualHost, 's3-conditional-put': conditionalPut } = given
    const { 'cinder-conf': cinderConf } = given
    return getBackupDriverForUrl(url, {
      ...driverOptions,
      ...timeLimitsOf(network),
      ...withoutUndefined({ backupS3RetryMaxAttempts: network.retries }),
      // An explicit option takes precedence, also `none`.
      backupCompressionAlgorithm: driverOptions.compression?.name ?? 'none',
      ...(endpoint === undefined ? {} : { backupS3EndpointUrl: endpoint }),
      ...(region === undefined ? {} : { region }),
      ...(profile === undefined ? {} : { profile }),
      ...(virtualHost === true ? { pathStyle: false } : {}),
      ...(conditionalPut === true ? { conditionalPut } : {}),
      ...(cinderConf === undefined ? {} : { cinderConf }),
      env,
      // Buckets are created by default; this overrides a cinder.conf that forbids it.
      ...(create ? { backupCreateContainers: true } : {}),
    })
  },
}
