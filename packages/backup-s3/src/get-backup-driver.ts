import { BackupError, checkArgument, optionRules } from '@stowage/backup-core'
import { checkStoreOptions, type S3StoreOptions } from './config/options.js'
import { withSources } from './config/sources.js'
import { S3BackupDriver } from './driver.js'

/**
 * Creates a driver. Options that are not set are read from `cinderConf`, the environment (`AWS_*`) and the profile of the AWS
 * command line.
 *
 * @throws `OPTION_INVALID`, `CONFIG_INVALID`. Sends no request: `checkForSetupError` does.
 */
export function getBackupDriver(context: S3StoreOptions = {}): Promise<S3BackupDriver> {
  return new Promise((resolve) => {
    checkStoreOptions(context)
    resolve(new S3BackupDriver(withSources(context)))
  })
}

/**
 * Creates a driver for the URL of a store: `s3://BUCKET`, or `s3:` for the default bucket.
 *
 * @throws as {@link getBackupDriver}
 */
export async function getBackupDriverForUrl(
  url: string,
  context: S3StoreOptions = {},
): Promise<S3BackupDriver> {
  checkArgument('the URL of getBackupDriverForUrl()', url, optionRules.nonEmptyText)
  checkStoreOptions(context)
  const container = bucketOfUrl(url)
  return getBackupDriver(container === undefined ? context : { search: 'container', ...context, container })
}

/** Returns the bucket of an `s3:` URL; undefined if it names none. */
export function bucketOfUrl(url: string): string | undefined {
  const match = /^s3:(?:\/\/)?([^/?#@%]*)\/?$/i.exec(url)
  if (match?.[1] === undefined) {
    throw new BackupError(
      'OPTION_INVALID',
      `The URL ${JSON.stringify(url)} must have the form s3://BUCKET: the names of objects begin at the bucket, and the endpoint ` +
        'is an option of its own.',
    )
  }
  return match[1] || undefined
}
