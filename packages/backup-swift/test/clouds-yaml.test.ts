import { isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { fromCloudsYaml, fromEnvironment, type SwiftDriverOptions } from '../src/index.js'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'stowage-clouds-'))
})
afterEach(() => rm(home, { recursive: true }))

async function read(
  clouds: string,
  cloud = 'prod',
  more: Record<string, string> = {},
): Promise<SwiftDriverOptions> {
  await writeFile(join(home, 'clouds.yaml'), clouds)
  for (const [name, text] of Object.entries(more)) await writeFile(join(home, name), text)
  return fromCloudsYaml(cloud, { directory: home, env: { HOME: join(home, 'nobody') } })
}

const prod = `
clouds:
  prod:
    region_name: RegionOne
    interface: internal
    verify: no
    auth: &auth
      auth_url: https://keystone.example/
      username: demo
      password: 0123
      user_domain_name: Default
      project_name: demo
      project_domain_name: Default
  other:
    auth_type: v3applicationcredential
    auth:
      auth_url: https://keystone.example/v3
      application_credential_id: abc
      application_credential_secret: no
`

describe('clouds.yaml', () => {
  it('gives the cloud’s sign-in, with a password of digits as the digits that were written', async () => {
    assert.deepEqual(await read(prod), {
      credentials: {
        method: 'password',
        authUrl: 'https://keystone.example/',
        username: 'demo',
        password: '0123',
        userDomain: { name: 'Default' },
        scope: { project: { name: 'demo', domain: { name: 'Default' } } },
      },
      backupSwiftRegionName: 'RegionOne',
      swiftCatalogInfo: 'object-store::internal',
      backupSwiftAuthInsecure: true,
    })
  })

  it('takes an application credential whose secret is the word no', async () => {
    const { credentials } = await read(prod, 'other')
    assert.deepEqual(credentials, {
      method: 'application-credential',
      authUrl: 'https://keystone.example/v3',
      id: 'abc',
      secret: 'no',
    })
  })

  it('lays secure.yaml over the cloud, and the cloud over its profile', async () => {
    const { credentials, backupSwiftRegionName } = await read(
      'clouds:\n  prod:\n    profile: vendor\n    auth: {username: demo, user_id: u, project_id: p}\n',
      'prod',
      {
        'secure.yaml': 'clouds: {prod: {auth: {password: hidden}}}',
        'clouds-public.yaml':
          'public-clouds: {vendor: {region_name: Far, auth: {auth_url: "https://vendor.example/v3"}}}',
      },
    )
    assert.equal(backupSwiftRegionName, 'Far')
    assert.deepEqual(credentials, {
      method: 'password',
      authUrl: 'https://vendor.example/v3',
      userId: 'u',
      username: 'demo',
      password: 'hidden',
      scope: { project: { id: 'p' } },
    })
  })

  it('is found below the home directory, and by OS_CLIENT_CONFIG_FILE', async () => {
    const directory = join(home, '.config', 'openstack')
    await mkdir(directory, { recursive: true })
    const file = join(directory, 'clouds.yaml')
    await writeFile(file, prod)
    const elsewhere = join(home, 'elsewhere')
    for (const env of [{ HOME: home }, { HOME: elsewhere, OS_CLIENT_CONFIG_FILE: file }]) {
      const { backupSwiftRegionName } = fromCloudsYaml('prod', { directory: elsewhere, env })
      assert.equal(backupSwiftRegionName, 'RegionOne')
    }
  })

  for (const [what, text, message] of [
    ['a key twice', 'clouds:\n  prod: {}\n  prod: {}\n', /line 3/],
    ['a tag', 'clouds:\n  prod: !!python/object:os.system x\n', /line 2/],
    ['YAML that ends too early', 'clouds: {prod: ', /line 1/],
    ['a list', '- clouds', /not a mapping/],
    ['another cloud alone', 'clouds: {dev: {auth: {}}}', /has no cloud prod\. Its clouds: dev/],
    ['no auth_url', 'clouds: {prod: {auth: {username: x}}}', /has no auth_url/],
    [
      'an auth_type that is not known',
      'clouds: {prod: {auth_type: v3kerberos, auth: {auth_url: http://x}}}',
      /v3kerberos/,
    ],
    ['no password', 'clouds: {prod: {auth: {auth_url: http://x, username: x}}}', /has no password/],
    ['aliases without end', bomb(), /too many aliases/],
  ] as const) {
    it(`with ${what} is CONFIG_INVALID`, async () => {
      await assert.rejects(
        read(text),
        (error) => isBackupError(error, 'CONFIG_INVALID') && message.test(error.message),
      )
    })
  }

  it('that does not exist is CONFIG_INVALID, and the message lists the directories', () => {
    assert.throws(
      () => fromCloudsYaml('prod', { directory: home, env: { HOME: home } }),
      (error) => isBackupError(error, 'CONFIG_INVALID') && error.message.includes(home),
    )
  })
})

describe('the environment', () => {
  const password = { OS_AUTH_URL: 'http://k/v3', OS_USERNAME: 'u', OS_PASSWORD: 'p', OS_PROJECT_NAME: 'pr' }

  it('says nothing where nothing is set, and an empty variable is not set', () => {
    assert.equal(fromEnvironment({ OS_AUTH_URL: '', PATH: '/bin' }), undefined)
  })

  it('has a token and the account before all else', () => {
    const env = { ...password, OS_STORAGE_URL: 'http://s/v1/AUTH_x', OS_AUTH_TOKEN: 'token' }
    assert.deepEqual(fromEnvironment(env), {
      storageUrl: 'http://s/v1/AUTH_x',
      credentials: { method: 'given-token', token: 'token' },
    })
  })

  it('has ST_ variables before OS_ ones', () => {
    const env = { ...password, ST_AUTH: 'http://s/auth/v1.0', ST_USER: 'a:b', ST_KEY: 'k' }
    assert.deepEqual(fromEnvironment(env), {
      credentials: { method: 'v1', authUrl: 'http://s/auth/v1.0', user: 'a:b', key: 'k' },
    })
  })

  it('has Keystone’s, with the default domain, the region, the interface and the CA', () => {
    const env = {
      ...password,
      OS_DEFAULT_DOMAIN: 'default',
      OS_REGION_NAME: 'R',
      OS_INTERFACE: 'admin',
      OS_CACERT: '/ca.pem',
    }
    assert.deepEqual(fromEnvironment(env), {
      credentials: {
        method: 'password',
        authUrl: 'http://k/v3',
        username: 'u',
        password: 'p',
        userDomain: { id: 'default' },
        scope: { project: { name: 'pr', domain: { id: 'default' } } },
      },
      backupSwiftRegionName: 'R',
      swiftCatalogInfo: 'object-store::admin',
      backupSwiftCaCertFile: '/ca.pem',
    })
  })

  for (const [version, method] of [
    ['2', 'keystone-v2'],
    ['2.0', 'keystone-v2'],
    ['3', 'password'],
  ] as const) {
    it(`speaks ${method} with OS_IDENTITY_API_VERSION=${version}`, () => {
      const options = fromEnvironment({ ...password, OS_IDENTITY_API_VERSION: version })
      assert.equal(options?.credentials?.method, method)
    })
  }
})

function bomb(): string {
  const lines = ['a0: &a0 {x: y}']
  for (let n = 1; n < 8; n += 1) {
    lines.push(`a${n}: &a${n} {${Array.from({ length: 9 }, (_, k) => `k${k}: *a${n - 1}`).join(', ')}}`)
  }
  return `${lines.join('\n')}\nclouds: {prod: *a7}\n`
}
