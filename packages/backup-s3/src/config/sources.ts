import { BackupError } from '@stowage/backup-core'
import { withConf } from '@stowage/cinder-conf'
import { withoutUndefined, type Environment } from '@stowage/http'
import { fromCinderConf } from './cinder-conf.js'
import { cinderOptions, type S3DriverOptions, type S3StoreOptions } from './options.js'
import { assertNoSdkSignIn, assumesRole, readProfile, variable, type ProfileSettings } from './profile.js'

/**
 * Fills in what the caller leaves out: from `cinderConf`, the environment (`AWS_*`) and a profile.
 *
 * @throws `CONFIG_INVALID` for an unknown profile, one that has no keys, and one key without the other
 */
export function withSources({ profile, cinderConf, ...given }: S3StoreOptions): S3DriverOptions {
  const explicit: S3DriverOptions = withoutUndefined(given)
  const conf: S3DriverOptions = cinderConf === undefined ? {} : fromCinderConf(cinderConf)
  const options = withConf(conf, explicit, cinderOptions)
  const env = options.env ?? process.env
  const name = profile ?? variable(env, 'AWS_PROFILE') ?? 'default'
  const isNamed = profile !== undefined || variable(env, 'AWS_PROFILE') !== undefined
  const settings = readProfile(name, env)
  if (isNamed && !settings)
    throw new BackupError(
      'CONFIG_INVALID',
      `The profile ${name} is in neither the credentials nor the config file of AWS. Correct the name, or add it.`,
    )
  return {
    ...withoutUndefined({
      region: variable(env, 'AWS_REGION') ?? variable(env, 'AWS_DEFAULT_REGION') ?? settings?.['region'],
      backupS3EndpointUrl:
        variable(env, 'AWS_ENDPOINT_URL_S3') ??
        variable(env, 'AWS_ENDPOINT_URL') ??
        settings?.['endpoint_url'],
      backupS3CaCertFile: variable(env, 'AWS_CA_BUNDLE') ?? settings?.['ca_bundle'],
    }),
    ...(hasKeys(options)
      ? {}
      : keysOf({ env, settings, profile: name, isNamed, isFirst: profile !== undefined })),
    ...options,
  }
}

/** Whether the options have keys, or a part of them, which is an error that names what is missing. */
function hasKeys({ credentials, backupS3StoreAccessKey, backupS3StoreSecretKey }: S3DriverOptions): boolean {
  return [credentials, backupS3StoreAccessKey, backupS3StoreSecretKey].some((one) => one !== undefined)
}

/** Where keys are searched. */
interface KeySources {
  readonly env: Environment
  readonly profile: string
  readonly settings: ProfileSettings | undefined
  /** The caller or the environment named the profile. */
  readonly isNamed: boolean
  /** The keys of the profile precede those of the environment. */
  readonly isFirst: boolean
}

function keysOf({
  env,
  profile,
  settings,
  isNamed,
  isFirst,
}: KeySources): Pick<S3DriverOptions, 'credentials'> {
  if (!isFirst) {
    const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const
    const ofEnvironment = keys((name) => variable(env, name), names, 'the environment')
    if (ofEnvironment) return ofEnvironment
  }
  if (!settings) return {}
  if (assumesRole(settings)) assertNoSdkSignIn(profile, settings)
  const names = ['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'] as const
  const ofProfile = keys((name) => settings[name], names, `the profile ${profile}`)
  if (ofProfile) return ofProfile
  assertNoSdkSignIn(profile, settings)
  if (!isNamed) return {}
  throw new BackupError(
    'CONFIG_INVALID',
    `The profile ${profile} has no keys. Add aws_access_key_id and aws_secret_access_key to it, or name another profile.`,
  )
}

/** Keys by their names in a source; undefined if it has none. One without the other must not lead to keys of another source. */
function keys<const Name extends string>(
  value: (name: Name) => string | undefined,
  [idName, secretName, tokenName]: readonly [id: Name, secret: Name, token: Name],
  source: string,
): Pick<S3DriverOptions, 'credentials'> | undefined {
  const [accessKeyId, secretAccessKey, sessionToken] = [value(idName), value(secretName), value(tokenName)]
  if (!accessKeyId && !secretAccessKey) return undefined
  if (!accessKeyId || !secretAccessKey) {
    const [found, missing] = accessKeyId ? [idName, secretName] : [secretName, idName]
    throw new BackupError(
      'CONFIG_INVALID',
      `Cannot sign in to S3: ${source} has ${found}, but no ${missing}. Set both, or neither.`,
    )
  }
  return { credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } }
}
