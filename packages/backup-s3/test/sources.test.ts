import { isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { withSources } from '../src/config/sources.js'
import { getBackupDriver, type S3DriverOptions, type S3StoreOptions } from '../src/index.js'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'stowage-s3-home-'))
  await mkdir(join(home, '.aws'))
})
afterEach(async () => {
  await rm(home, { recursive: true })
})

const environment = { AWS_ACCESS_KEY_ID: 'AK-ENV', AWS_SECRET_ACCESS_KEY: 'secret-env' }
const ofEnvironment = { accessKeyId: 'AK-ENV', secretAccessKey: 'secret-env' }

const write = (name: string, text: string): Promise<void> => writeFile(join(home, '.aws', name), text)

/** The options for a driver, without `env`. */
function found(env: Readonly<Record<string, string>> = {}, options: S3StoreOptions = {}): S3DriverOptions {
  const all = withSources({ ...options, env: { HOME: home, ...env } })
  return Object.fromEntries(Object.entries(all).filter(([name]) => name !== 'env'))
}

function rejected(
  message: RegExp,
  env: Readonly<Record<string, string>> = {},
  options: S3StoreOptions = {},
): void {
  assert.throws(
    () => found(env, options),
    (error: unknown) => {
      assert.ok(isBackupError(error, 'CONFIG_INVALID'), String(error))
      assert.match(error.message, message)
      assert.ok(!inspect(error).includes('CANARY'))
      return true
    },
  )
}

describe('the environment', () => {
  it('has the keys, the session token, the region, the endpoint and the certificates', () => {
    const env = {
      ...environment,
      AWS_SESSION_TOKEN: 'token',
      AWS_REGION: 'eu-west-1',
      AWS_DEFAULT_REGION: 'other',
      AWS_ENDPOINT_URL_S3: 'https://s3.example',
      AWS_ENDPOINT_URL: 'https://other.example',
      AWS_CA_BUNDLE: '/ca.pem',
    }
    assert.deepEqual(found(env), {
      credentials: { ...ofEnvironment, sessionToken: 'token' },
      region: 'eu-west-1',
      backupS3EndpointUrl: 'https://s3.example',
      backupS3CaCertFile: '/ca.pem',
    })
  })

  it('has AWS_DEFAULT_REGION and AWS_ENDPOINT_URL as second names', () => {
    const env = { ...environment, AWS_DEFAULT_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'https://s3.example' }
    assert.deepEqual(found(env), {
      credentials: ofEnvironment,
      region: 'eu-west-1',
      backupS3EndpointUrl: 'https://s3.example',
    })
  })

  it('with an empty variable is as without it', () => {
    const empty = { AWS_SESSION_TOKEN: '', AWS_REGION: '', AWS_PROFILE: '', AWS_CONFIG_FILE: '' }
    assert.deepEqual(found({ ...environment, ...empty }), { credentials: ofEnvironment })
    assert.deepEqual(found({ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }), {})
  })

  it('with one key only is rejected, and leads to no keys of a profile', async () => {
    await write('credentials', '[default]\naws_access_key_id = AK\naws_secret_access_key = CANARY\n')
    rejected(/the environment has AWS_ACCESS_KEY_ID, but no AWS_SECRET_ACCESS_KEY/, {
      AWS_ACCESS_KEY_ID: 'AK',
    })
    rejected(/has AWS_SECRET_ACCESS_KEY, but no AWS_ACCESS_KEY_ID/, { AWS_SECRET_ACCESS_KEY: 'CANARY' })
  })
})

describe('the files of the AWS command line', () => {
  const credentials = [
    '# my keys',
    '; and another comment',
    '[default]',
    'aws_access_key_id = AK-DEFAULT',
    'aws_secret_access_key = secret/with+all=characters#but-a-comment # a comment',
    '',
    '[backup]',
    'aws_access_key_id=AK-BACKUP',
    'AWS_SECRET_ACCESS_KEY   =   secret-backup',
    'aws_session_token = token==',
    '',
  ].join('\n')
  const config = [
    '[default]',
    'region = us-west-2',
    '[profile backup]',
    'region = eu-north-1 ; near',
    's3 =',
    '    endpoint_url = https://nested.example',
    '    max_concurrent_requests = 20',
    'endpoint_url = https://s3.example',
    'ca_bundle = /ca.pem',
    '[profile "with spaces"]',
    'aws_access_key_id = AK-SPACES',
    'aws_secret_access_key = secret',
    '[backup]',
    'region = not-read',
  ].join('\r\n')

  it('have the default profile', async () => {
    await write('credentials', credentials)
    await write('config', config)
    assert.deepEqual(found(), {
      credentials: {
        accessKeyId: 'AK-DEFAULT',
        secretAccessKey: 'secret/with+all=characters#but-a-comment',
      },
      region: 'us-west-2',
    })
  })

  it('have a profile by AWS_PROFILE or the option, without its nested settings', async () => {
    await write('credentials', credentials)
    await write('config', config)
    const expected = {
      credentials: { accessKeyId: 'AK-BACKUP', secretAccessKey: 'secret-backup', sessionToken: 'token==' },
      region: 'eu-north-1',
      backupS3EndpointUrl: 'https://s3.example',
      backupS3CaCertFile: '/ca.pem',
    }
    assert.deepEqual(found({ AWS_PROFILE: 'backup' }), expected)
    assert.deepEqual(found({}, { profile: 'backup' }), expected)
    assert.deepEqual(found({ AWS_PROFILE: 'default' }, { profile: 'backup' }), expected)
  })

  it('may have a name with spaces, and [profile default]', async () => {
    await write('config', config)
    assert.deepEqual(found({}, { profile: 'with spaces' }).credentials, {
      accessKeyId: 'AK-SPACES',
      secretAccessKey: 'secret',
    })
    await write('config', '[default]\nregion = second\n[profile default]\nregion = first\n')
    assert.equal(found().region, 'first')
  })

  it('may be elsewhere', async () => {
    await writeFile(join(home, 'c1'), credentials)
    await writeFile(join(home, 'c2'), config)
    const env = { AWS_SHARED_CREDENTIALS_FILE: join(home, 'c1'), AWS_CONFIG_FILE: join(home, 'c2') }
    assert.equal(found(env).region, 'us-west-2')
    assert.equal((found(env).credentials as { accessKeyId: string }).accessKeyId, 'AK-DEFAULT')
  })

  it('need not exist, unless a profile is named', () => {
    assert.deepEqual(found(), {})
    rejected(/The profile backup is in neither .* file of AWS/, { AWS_PROFILE: 'backup' })
    rejected(/The profile backup is in neither/, environment, { profile: 'backup' })
  })

  it('are rejected by the number of the line, without its text, where they are invalid', async () => {
    for (const text of ['[default]\nCANARY', 'aws_secret_access_key = CANARY', '[default\nregion = CANARY']) {
      await write('credentials', text)
      rejected(/Line [12] of the credentials file .* is neither \[SECTION\] nor NAME = VALUE/)
    }
    await rm(join(home, '.aws', 'credentials'))
    await mkdir(join(home, '.aws', 'credentials'))
    rejected(/Cannot read the credentials file .* it is a directory/)
  })

  for (const name of [
    'sso_session',
    'sso_start_url',
    'role_arn',
    'credential_process',
    'web_identity_token_file',
  ]) {
    it(`are rejected for a profile with ${name}, and the error says what to do`, async () => {
      await write('config', `[profile backup]\n${name} = CANARY\n[default]\nregion = r\n`)
      const message = new RegExp(
        `The profile backup signs in by ${name}.*credential-providers.*export-credentials --profile backup`,
      )
      rejected(message, { AWS_PROFILE: 'backup' })
      // Other keys make the sign-in unnecessary.
      assert.deepEqual(found({ AWS_PROFILE: 'backup', ...environment }).credentials, ofEnvironment)
      assert.deepEqual(
        found({}, { profile: 'backup', credentials: ofEnvironment }).credentials,
        ofEnvironment,
      )
    })
  }

  it('never give the keys of a profile that is for a role to assume', async () => {
    await write('credentials', '[backup]\naws_access_key_id = AK\naws_secret_access_key = CANARY\n')
    await write('config', '[profile backup]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = backup\n')
    rejected(/signs in by role_arn/, {}, { profile: 'backup' })
    // The keys of a profile precede its SSO.
    await write('config', '[profile backup]\nsso_session = x\n')
    assert.equal((found({}, { profile: 'backup' }).credentials as { accessKeyId: string }).accessKeyId, 'AK')
  })

  it('are rejected for a named profile without keys, or with one of the two', async () => {
    await write('credentials', '[half]\naws_access_key_id = AK\n')
    await write('config', '[profile empty]\nregion = r\n[default]\nregion = r\n')
    rejected(/The profile empty has no keys\. Add aws_access_key_id/, {}, { profile: 'empty' })
    rejected(/The profile empty has no keys/, { AWS_PROFILE: 'empty' })
    rejected(/The profile empty has no keys/, environment, { profile: 'empty' })
    rejected(/the profile half has aws_access_key_id, but no aws_secret_access_key/, {}, { profile: 'half' })
    assert.deepEqual(found(), { region: 'r' })
  })
})

describe('precedence', () => {
  const profile = [
    '[default]',
    'aws_access_key_id = AK-PROFILE',
    'aws_secret_access_key = secret-profile',
    'region = profile',
    'endpoint_url = https://profile.example',
  ].join('\n')
  const cinderConf = [
    '[DEFAULT]',
    'backup_s3_store_access_key = AK-CONF',
    'backup_s3_store_secret_key = secret-conf',
    'backup_s3_endpoint_url = https://conf.example',
  ].join('\n')
  const env = { ...environment, AWS_REGION: 'env', AWS_ENDPOINT_URL_S3: 'https://env.example' }

  it('is the environment before the profile, unless the profile is an option', async () => {
    await write('credentials', profile)
    assert.deepEqual(found(env), {
      credentials: ofEnvironment,
      region: 'env',
      backupS3EndpointUrl: 'https://env.example',
    })
    assert.deepEqual(found({ ...env, AWS_PROFILE: 'default' }).credentials, ofEnvironment)
    assert.deepEqual(found(env, { profile: 'default' }).credentials, {
      accessKeyId: 'AK-PROFILE',
      secretAccessKey: 'secret-profile',
    })
  })

  it('is a cinder.conf before both, and explicit options before all', async () => {
    await write('credentials', profile)
    assert.deepEqual(found(env, { cinderConf }), {
      backupS3StoreAccessKey: 'AK-CONF',
      backupS3StoreSecretKey: 'secret-conf',
      backupS3EndpointUrl: 'https://conf.example',
      region: 'env',
    })
    const explicit = { backupS3EndpointUrl: 'https://own.example', region: 'own', credentials: ofEnvironment }
    const all = found(env, { cinderConf, ...explicit })
    assert.deepEqual({ ...all, ...explicit }, all)
  })

  it('is never the keys of another source where the options have one of the two', async () => {
    await assert.rejects(
      getBackupDriver({ backupS3StoreAccessKey: 'AK', env: { HOME: home, ...env } }),
      (error: unknown) => {
        assert.ok(isBackupError(error, 'OPTION_INVALID'), String(error))
        assert.match(error.message, /backup_s3_store_secret_key/)
        return true
      },
    )
  })
})
