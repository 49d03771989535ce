import { BackupError } from '@stowage/backup-core'
import { withConf } from '@stowage/cinder-conf'
import { withoutUndefined, type Environment } from '@stowage/http'
import { fromCinderConf } from './cinder-conf.js'
import { cinderOptions, type S3DriverOptions, type S3StoreOptions } from './options.js'
import { assertNoSdkSignIn, readProfile, type ProfileSettings } from './profile.js'

/**
 * Fills in what the caller leaves out: from `cinderConf`, the environment (`AWS_*`) and a profile.
 *
 * @throws `CONFIG_INVALID` for an unknown profile, or one that has no keys
 */
export function withSources({ profile, cinderConf, ...given }: S3StoreOptions): S3DriverOptions {
  const explicit: S3DriverOptions = withoutUndefined(given)
  const conf: S3DriverOptions = cinderConf === undefined ? {} : fromCinderConf(cinderConf)
  const options = withConf(conf, explicit, cinderOptions)
  const env = options.env ?? process.env
  const name = profile ?? textOf(env, 'AWS_PROFILE') ?? 'default'
  const isNamed = profile !== undefined || textOf(env, 'AWS_PROFILE') !== undefined
  const settings = readProfile(name, env)
  if (isNamed && !settings)
    throw new BackupError(
      'CONFIG_INVALID',
      `The profile ${name} is in neither the credentials nor the config file of AWS. Correct the name, or add it.`,
    )
  return {
    ...withoutUndefined({
      region: textOf(env, 'AWS_REGION') ?? textOf(env, 'AWS_DEFAULT_REGION') ?? settings?.['region'],
      backupS3EndpointUrl:
        textOf(env, 'AWS_ENDPOINT_URL_S3') ?? textOf(env, 'AWS_ENDPOINT_URL') ?? settings?.['endpoint_url'],
      backupS3CaCertFile: textOf(env, 'AWS_CA_BUNDLE') ?? settings?.['ca_bundle'],
    }),
    ...(hasKeys(options) ? {} : keysOf(profile !== undefined, env, name, settings)),
    ...options,
  }
}

/** Whether the options have keys, or a part of them, which is an error that names what is missing. */
function hasKeys({ credentials, backupS3StoreAccessKey, backupS3StoreSecretKey }: S3DriverOptions): boolean {
  return [credentials, backupS3StoreAccessKey, backupS3StoreSecretKey].some((one) => one !== undefined)
}

function keysOf(
  profileFirst: boolean,
  env: Environment,
  profile: string,
  settings: ProfileSettings | undefined,
): Pick<S3DriverOptions, 'credentials'> {
  const ofEnvironment = keys(
    textOf(env, 'AWS_ACCESS_KEY_ID'),
    textOf(env, 'AWS_SECRET_ACCESS_KEY'),
    textOf(env, 'AWS_SESSION_TOKEN'),
  )
  if (ofEnvironment && !profileFirst) return ofEnvironment
  const ofProfile = keys(
    settings?.['aws_access_key_id'],
    settings?.['aws_secret_access_key'],
    settings?.['aws_session_token'],
  )
  if (!ofProfile && settings) assertNoSdkSignIn(profile, settings)
  return ofProfile ?? {}
}

function keys(
  accessKeyId: string | undefined,
  secretAccessKey: string | undefined,
  sessionToken: string | undefined,
): Pick<S3DriverOptions, 'credentials'> | undefined {
  if (!accessKeyId || !secretAccessKey) return undefined
  return { credentials: { accessKeyId, secretAccessKey, ...withoutUndefined({ sessionToken }) } }
}

/** A variable; undefined if it is empty. */
function textOf(env: Environment, name: string): string | undefined {
  const value = env[name]
  return value === '' ? undefined : value
}
