import { isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { cinderFlags } from '../src/config/options.js'
import { fromCinderConf, fromCloudsYaml, fromEnvironment, getBackupDriver } from '../src/index.js'

/** No message may hold it: it is in every secret. */
const canary = 'CANARY'

/** Values with the canary, and all that configuration files give a meaning to around it. */
const secret = fc
  .tuple(
    fc.array(
      fc.constantFrom(
        '$',
        '${',
        '}',
        '$$',
        '\\',
        '"',
        "'",
        '*',
        '&',
        '!',
        '#',
        ':',
        '=',
        '.',
        '%',
        '@',
        '/',
        '\t',
        'a',
        '[',
        '{',
        '|',
        '>',
        '-',
      ),
      { maxLength: 5 },
    ),
    fc.array(fc.constantFrom('$', '}', '"', "'", ' ', ':', '#', ',', ']', 'b', '\\'), { maxLength: 4 }),
  )
  .map(([before, after]) => before.join('') + canary + after.join(''))

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stowage-secrets-'))
})
afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
})

/** Fails where the canary is in what went wrong, the causes included. */
async function tellsNothing(work: () => unknown): Promise<void> {
  try {
    await work()
  } catch (error) {
    assert.ok(isBackupError(error), String(error))
    assert.ok(!inspect(error, { depth: 10 }).includes(canary), inspect(error))
  }
}

describe('a secret is in no error', () => {
  it('of a cinder.conf, which names the option and the line', async () => {
    assert.throws(
      () => fromCinderConf('[DEFAULT]\nbackup_swift_auth = single_user\nbackup_swift_key = pa$CANARY2\n'),
      (error) => {
        assert.ok(isBackupError(error, 'CONFIG_INVALID'), String(error))
        assert.match(error.message, /Option backup_swift_key in line 3 .*Write \$\$ for a dollar sign/)
        assert.ok(!error.message.includes(canary))
        return true
      },
    )
    const secrets = [
      ...cinderFlags.flatMap(([, { flag, secret }]) => (secret ? [['DEFAULT', flag] as const] : [])),
      ...['password', 'token', 'application_credential_secret'].map(
        (name) => ['service_user', name] as const,
      ),
    ]
    assert.ok(secrets.length >= 4)
    await fc.assert(
      fc.asyncProperty(
        secret,
        fc.constantFrom(...secrets),
        fc.boolean(),
        async (value, [group, name], continued) => {
          const text = [
            '[DEFAULT]',
            'backup_swift_auth = single_user',
            'backup_swift_service_auth = true',
            '[service_user]',
            'send_service_user_token = true',
            'auth_url = http://127.0.0.1:1/v3',
            `[${group}]`,
            `${name} = ${continued ? `x\n  ${value}` : value}`,
            '',
          ].join('\n')
          await tellsNothing(async () => {
            await (await getBackupDriver({ cinderConf: text, env: {} })).close()
          })
        },
      ),
    )
  })

  it('of a clouds.yaml, nor of a secure.yaml', async () => {
    const file = join(directory, 'clouds.yaml')
    const env = { OS_CLIENT_CONFIG_FILE: file }
    await fc.assert(
      fc.asyncProperty(
        secret,
        fc.constantFrom('password', 'token', 'application_credential_secret'),
        fc.boolean(),
        async (value, name, quoted) => {
          const text = quoted ? JSON.stringify(value) : value
          await writeFile(file, `clouds:\n  c:\n    auth:\n      ${name}: ${text}\n      username: u\n`)
          await tellsNothing(() => fromCloudsYaml('c', { env, directory }))
        },
      ),
    )
  })

  it('of the environment', async () => {
    const names = ['OS_PASSWORD', 'OS_TOKEN', 'OS_AUTH_TOKEN', 'OS_APPLICATION_CREDENTIAL_SECRET', 'ST_KEY']
    await fc.assert(
      fc.asyncProperty(secret, fc.constantFrom(...names), fc.boolean(), async (value, name, withUrl) => {
        const env = {
          [name]: value,
          OS_USERNAME: 'u',
          ...(withUrl ? { OS_AUTH_URL: 'http://127.0.0.1:1' } : {}),
        }
        await tellsNothing(() => fromEnvironment(env))
      }),
    )
  })

  it('of a URL that holds one', async () => {
    await fc.assert(
      fc.asyncProperty(
        secret,
        fc.constantFrom('OS_AUTH_URL', 'ST_AUTH', 'HTTPS_PROXY'),
        async (value, name) => {
          // What parts a URL makes a host or a path of the rest, which is no password.
          fc.pre(!/[#/?@\\]/.test(value))
          const env = {
            ST_AUTH: 'http://127.0.0.1:1/auth',
            ST_USER: 'u',
            ST_KEY: 'k',
            [name]: `http://user:${value}@[127.0.0.1:x`,
          }
          await tellsNothing(async () => {
            const driver = await getBackupDriver({
              env,
              connectTimeoutSeconds: 1,
              backupSwiftRetryAttempts: 0,
            })
            await driver.checkForSetupError().finally(() => driver.close())
          })
        },
      ),
    )
  })
})
