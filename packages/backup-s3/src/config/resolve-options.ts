import { BackupError, type ChunkedDriverOptions } from '@stowage/backup-core'
import { engineOptions } from '@stowage/cinder-conf'
import { networkSettings, withDefaults, type NetworkSettings } from '@stowage/http'
import { createHash } from 'node:crypto'
import type { S3CredentialSource } from '../auth/credentials.js'
import { checkBucketHost, checkBucketName } from '../s3/names.js'
import type { S3Endpoint } from '../s3/transport.js'
import {
  checkDriverOptions,
  cinderOptions,
  s3Options,
  type FilledOptions,
  type S3DriverOptions,
} from './options.js'

/** Options with their defaults, in the form in which the parts of the driver take them. */
export interface ResolvedS3Options extends NetworkSettings {
  readonly filled: FilledOptions
  /** The options of every driver, for the base class. */
  readonly engine: ChunkedDriverOptions
  /** The bucket of backups that name none. */
  readonly container: string
  readonly endpoint: S3Endpoint
  readonly credentials: S3CredentialSource
  /** The headers of SSE-C; none without. */
  readonly encryption: Readonly<Record<string, string>>
}

/**
 * Checks all options, fills in the defaults and reads the certificate files.
 *
 * @throws `OPTION_INVALID` with the option and its flag
 */
export function resolveOptions(options: S3DriverOptions): ResolvedS3Options {
  checkDriverOptions(options)
  const engine = engineOptions(options, cinderOptions)
  const filled = withDefaults({ ...cinderOptions, ...s3Options }, options)
  const container = engine.container ?? filled.backupS3StoreBucket
  checkBucketName(container)
  if (filled.multipartThresholdBytes > s3Options.multipartThresholdBytes.default)
    throw invalid('multipartThresholdBytes is above 5 GiB, the limit of one PUT. Set a smaller number.')
  const region = filled.region ?? 'us-east-1'
  if (!/^[\w-]+$/.test(region))
    throw invalid(`region is ${JSON.stringify(region)}, which is not the name of a region.`)
  const url = endpointUrl(filled.backupS3EndpointUrl, region)
  if (!filled.pathStyle) checkBucketHost(container, url.hostname)
  return {
    filled,
    engine: { ...engine, container },
    container,
    endpoint: { url, region, pathStyle: filled.pathStyle },
    credentials: credentialsOf(options),
    encryption: encryptionOf(filled),
    ...networkOf(options, filled),
  }
}

function networkOf(options: S3DriverOptions, filled: FilledOptions): NetworkSettings {
  const env = filled.env ?? process.env
  const { backupS3HttpProxy, backupS3HttpsProxy, backupS3Timeout: timeout } = options
  const limits =
    timeout === undefined || timeout === 0
      ? filled
      : {
          ...filled,
          connectTimeoutSeconds: options.connectTimeoutSeconds ?? timeout,
          headersTimeoutSeconds: options.headersTimeoutSeconds ?? timeout,
          bodyTimeoutSeconds: options.bodyTimeoutSeconds ?? timeout,
        }
  return networkSettings(limits, {
    caCertFile: { path: filled.backupS3CaCertFile, option: 'backupS3CaCertFile (backup_s3_ca_cert_file)' },
    insecure: !filled.backupS3VerifySsl,
    retries: filled.backupS3RetryMaxAttempts,
    backoffSeconds: filled.retryBackoffSeconds,
    env: {
      ...env,
      ...(backupS3HttpProxy === undefined ? {} : { http_proxy: backupS3HttpProxy }),
      ...(backupS3HttpsProxy === undefined ? {} : { https_proxy: backupS3HttpsProxy }),
    },
  })
}

function endpointUrl(text: string | undefined, region: string): URL {
  const option = 'backupS3EndpointUrl (backup_s3_endpoint_url)'
  // Amazon's regions in China have a domain of their own.
  const endpoint = text ?? `https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (!url || !/^https?:$/.test(url.protocol))
    throw invalid(`${option} is not an http or https URL. Set it to the URL of the S3 server.`)
  if (url.username !== '' || url.password !== '')
    throw invalid(`${option} contains a user or a password. Pass the keys by their own options.`)
  if (url.search !== '' || url.hash !== '') throw invalid(`${option} has a query or a fragment. Remove it.`)
  return url
}

function credentialsOf({
  credentials,
  backupS3StoreAccessKey: accessKeyId,
  backupS3StoreSecretKey: secretAccessKey,
}: S3DriverOptions): S3CredentialSource {
  if (credentials !== undefined) return credentials
  if (accessKeyId === undefined && secretAccessKey === undefined)
    throw invalid(
      'Cannot sign in to S3: there are no keys. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile, or the option ' +
        'credentials, or backup_s3_store_access_key and backup_s3_store_secret_key.',
    )
  if (accessKeyId === undefined)
    throw invalid('backupS3StoreAccessKey (backup_s3_store_access_key) is not set.')
  if (secretAccessKey === undefined)
    throw invalid('backupS3StoreSecretKey (backup_s3_store_secret_key) is not set.')
  return { accessKeyId, secretAccessKey }
}

function encryptionOf({
  backupS3SseCustomerKey: key,
  backupS3SseCustomerAlgorithm: algorithm,
}: FilledOptions): Readonly<Record<string, string>> {
  if (key === undefined && algorithm === undefined) return {}
  if (key === undefined || algorithm === undefined) {
    throw invalid(
      'Only one of backupS3SseCustomerKey (backup_s3_sse_customer_key) and backupS3SseCustomerAlgorithm ' +
        '(backup_s3_sse_customer_algorithm) is set, so nothing would be encrypted. Set both, or neither.',
    )
  }
  const bytes = Buffer.from(key)
  if (algorithm === 'AES256' && bytes.byteLength !== 32)
    throw invalid(
      `backupS3SseCustomerKey (backup_s3_sse_customer_key) has ${bytes.byteLength} bytes, and AES256 needs 32.`,
    )
  const prefix = 'x-amz-server-side-encryption-customer'
  return {
    [`${prefix}-algorithm`]: algorithm,
    [`${prefix}-key`]: bytes.toString('base64'),
    [`${prefix}-key-md5`]: createHash('md5').update(bytes).digest('base64'),
  }
}

function invalid(message: string): BackupError {
  return new BackupError('OPTION_INVALID', message)
}
