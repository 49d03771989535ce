import { checkOptions, chunkedDriverShape, optionRules as rules } from '@stowage/backup-core'
import type { ChunkedDriverOptions, OptionRule } from '@stowage/backup-core'
import {
  booleanFlag as boolean,
  choiceFlag as oneOf,
  commonFlags,
  integerFlag as integer,
  secondsFlag as seconds,
  textFlag as text,
  type AnyCinderFlag,
} from '@stowage/cinder-conf'
import {
  choice,
  networkOptions,
  option,
  positive,
  rulesOf,
  type Environment,
  type FilledOptions as Filled,
  type OptionsOf,
  type TableOption,
} from '@stowage/http'
import { keysProblem, type S3CredentialSource } from '../auth/credentials.js'

/*
 * The tables of the options. The types, the checks, the defaults, the reading of a cinder.conf and the tables of the README
 * follow from them: a test compares the comments here with the README.
 */

/** Every flag that Cinder's S3 driver reads. */
export const cinderOptions = {
  /** The URL of the S3 server: `https://s3.example:443`. If unset, `AWS_ENDPOINT_URL_S3`, or Amazon S3 in `region`. */
  backupS3EndpointUrl: text('backup_s3_endpoint_url'),
  /** The access key. If unset, see `credentials`. */
  backupS3StoreAccessKey: text('backup_s3_store_access_key', undefined, { secret: true }),
  /** The secret key. */
  backupS3StoreSecretKey: text('backup_s3_store_secret_key', undefined, { secret: true }),
  /** The bucket for backups that name no container. The same as `container`. */
  backupS3StoreBucket: text('backup_s3_store_bucket', 'volumebackups', { coreOption: 'container' }),
  /** The maximum number of bytes of the volume in one object. The same as `chunkSizeBytes`. */
  backupS3ObjectSize: integer('backup_s3_object_size', 52_428_800, 1, {
    unit: 'bytes',
    coreOption: 'chunkSizeBytes',
  }),
  /** The granularity of change detection. The same as `blockSizeBytes`. */
  backupS3BlockSize: integer('backup_s3_block_size', 32_768, 1, {
    unit: 'bytes',
    coreOption: 'blockSizeBytes',
  }),
  /** Cinder's periodic notification to Ceilometer. Accepted without effect; `onProgress` reports instead. */
  backupS3EnableProgressTimer: boolean('backup_s3_enable_progress_timer', true),
  /** The proxy for an endpoint with http. Overrides `http_proxy`. */
  backupS3HttpProxy: text('backup_s3_http_proxy'),
  /** The proxy for an endpoint with https. Overrides `https_proxy`. */
  backupS3HttpsProxy: text('backup_s3_https_proxy'),
  /** Cinder's time limit for connecting and for each read. If set, the default of `connectTimeoutSeconds`, `headersTimeoutSeconds` and `bodyTimeoutSeconds`; 0 has no effect. */
  backupS3Timeout: seconds('backup_s3_timeout', 60),
  /** Accepted without effect: `concurrency` limits the connections. */
  backupS3MaxPoolConnections: integer('backup_s3_max_pool_connections', 10, 1, { unit: 'connections' }),
  /** The maximum number of retries of a request. (Cinder's default is 4.) */
  backupS3RetryMaxAttempts: integer('backup_s3_retry_max_attempts', 10, 0, { unit: 'attempts' }),
  /** Botocore's retry mode. Accepted without effect: backoffs double up to `retryMaxBackoffSeconds`. */
  backupS3RetryMode: oneOf('backup_s3_retry_mode', ['legacy', 'standard', 'adaptive'], 'legacy'),
  /** Verifies certificates. If false, any certificate is accepted, with one warning. */
  backupS3VerifySsl: boolean('backup_s3_verify_ssl', true),
  /** A PEM file with the trusted CA certificates. If unset, `AWS_CA_BUNDLE`, or the system's. */
  backupS3CaCertFile: text('backup_s3_ca_cert_file'),
  /** Accepted without effect: each object is sent with its Content-MD5, or compared with the ETag. */
  backupS3Md5Validation: boolean('backup_s3_md5_validation', true),
  /** The key of SSE-C, with which the store encrypts objects: 32 characters. Requires `backupS3SseCustomerAlgorithm`. */
  backupS3SseCustomerKey: text('backup_s3_sse_customer_key', undefined, { secret: true }),
  /** The algorithm of SSE-C: `AES256`. Requires `backupS3SseCustomerKey`. (Cinder does not encrypt if one is missing.) */
  backupS3SseCustomerAlgorithm: text('backup_s3_sse_customer_algorithm'),
  ...commonFlags,
}

const credentials: OptionRule = {
  expected: 'an object with accessKeyId and secretAccessKey, or a function that returns one',
  accepts: (value) =>
    typeof value === 'function' || (rules.object.accepts(value) && keysProblem(value) === undefined),
  hint: (value) => {
    const problem = rules.object.accepts(value) ? keysProblem(value) : undefined
    return problem === undefined ? undefined : `The problem: ${problem}.`
  },
}

/** The other options of the S3 driver. */
export const s3Options = {
  /**
   * Keys, or a function that returns them, as the credential providers of the AWS SDK do. Overrides Cinder's options. If unset,
   * `getBackupDriver` takes `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or the profile.
   */
  credentials: option<S3CredentialSource>(credentials),
  /** The region that signatures name. If unset, `AWS_REGION`, the region of the profile, or us-east-1. */
  region: option<string>(rules.nonEmptyText),
  /** Whether the bucket is in the path of URLs. If false, it is in the host name. */
  pathStyle: { rule: rules.flag, default: true } as TableOption<boolean, boolean>,
  /** The region in which a missing bucket is created, if it is not `region`. */
  bucketRegion: option<string>(rules.nonEmptyText),
  /**
   * Where backups are searched by id: in all buckets of these keys in the `region`, or in the driver's own `container` only (the
   * default for `s3://BUCKET`), which then accepts no backup into another bucket.
   */
  search: choice(['account', 'container'], 'account'),
  /**
   * Creates objects with the condition `If-None-Match`, so that two backups with one id cannot overwrite each other even where listings
   * lag. Amazon S3, MinIO and Ceph have it; other stores may refuse it with 501.
   */
  conditionalPut: { rule: rules.flag, default: false } as TableOption<boolean, boolean>,
  /** Objects above this size are stored in parts. At most 5 GiB, the limit of one PUT. */
  multipartThresholdBytes: {
    rule: rules.wholeNumber(5 * 1024 ** 2),
    default: 5 * 1024 ** 3,
  } as TableOption<number, number>,
  /** The first backoff before a retry; it doubles. */
  retryBackoffSeconds: positive(1),
  ...networkOptions,
  /** The environment variables that are read (`AWS_*`, `http_proxy`, `https_proxy`, `no_proxy`). If unset, `process.env`. */
  env: option<Environment>(rules.object),
}

/** The sources of options that `getBackupDriver` reads. */
export const sourceOptions = {
  /** A profile of the shared credentials and config files. If unset, `AWS_PROFILE`, or `default`. */
  profile: option<string>(rules.nonEmptyText),
  /** A cinder.conf: its path, or its text. */
  cinderConf: option<string>(rules.text),
}

/** Cinder's flags as options, in camel case. */
export type CinderS3Options = OptionsOf<typeof cinderOptions>

/** All options of an {@link S3BackupDriver}. */
export interface S3DriverOptions extends ChunkedDriverOptions, CinderS3Options, OptionsOf<typeof s3Options> {}

/** The options of `getBackupDriver`: those of the driver, and where to read others. */
export interface S3StoreOptions extends S3DriverOptions, OptionsOf<typeof sourceOptions> {}

/** The flags with the names of their options. */
export const cinderFlags = Object.entries(cinderOptions) as readonly [keyof CinderS3Options, AnyCinderFlag][]

/** The options of this driver with their defaults. */
export type FilledOptions = Filled<typeof cinderOptions & typeof s3Options>

const driverShape = { ...chunkedDriverShape, ...rulesOf(cinderOptions), ...rulesOf(s3Options) }

const storeShape = { ...driverShape, ...rulesOf(sourceOptions) }

/** Rejects unknown options and invalid values. @throws `OPTION_INVALID` */
export function checkDriverOptions(options: S3DriverOptions): void {
  checkOptions('the options of S3BackupDriver', options, driverShape)
}

/** The same for `getBackupDriver`, before other sources of options are read. */
export function checkStoreOptions(options: S3StoreOptions): void {
  checkOptions('the options of getBackupDriver()', options, storeShape)
}
