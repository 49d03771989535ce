import { isBackupError } from '@stowage/backup-core'
import type { BackupErrorCode } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import type { SwiftStoreOptions } from '../src/index.js'
import { getBackupDriver } from '../src/index.js'
import type { TestCloudOptions } from '../../../test-fixtures/test-cloud/index.js'
import {
  TestCloud,
  testApplicationCredential,
  testTrust,
  testUsers,
  testV1User,
} from '../../../test-fixtures/test-cloud/index.js'
import { demoPassword, fast } from './support.js'

const { demo, alice, harold, cinder } = testUsers

/** Each way that works, on one cloud. */
const ways: Readonly<Record<string, (cloud: TestCloud) => SwiftStoreOptions>> = {
  'auth version 1': (cloud) => ({
    credentials: { method: 'v1', authUrl: cloud.v1AuthUrl, user: testV1User.user, key: testV1User.key },
  }),
  'Keystone v2.0': (cloud) => ({
    credentials: {
      method: 'keystone-v2',
      authUrl: cloud.origin,
      username: demo.name,
      password: demo.password,
      tenantName: demo.project.name,
    },
  }),
  'a password by names': (cloud) => ({ credentials: demoPassword(cloud) }),
  'a password by ids': (cloud) => ({
    credentials: {
      method: 'password',
      authUrl: cloud.origin,
      userId: harold.id,
      password: harold.password,
      scope: { project: { id: harold.project.id } },
    },
  }),
  'an application credential by id': (cloud) => ({
    credentials: {
      method: 'application-credential',
      authUrl: cloud.keystoneUrl,
      id: testApplicationCredential.id,
      secret: testApplicationCredential.secret,
    },
  }),
  'an application credential by name and user': (cloud) => ({
    credentials: {
      method: 'application-credential',
      authUrl: cloud.keystoneUrl,
      name: testApplicationCredential.name,
      username: demo.name,
      userDomain: { name: demo.domain.name },
      secret: testApplicationCredential.secret,
    },
  }),
  'a trust': (cloud) => ({
    credentials: {
      method: 'password',
      authUrl: cloud.keystoneUrl,
      userId: alice.id,
      password: alice.password,
      scope: { trustId: testTrust.id },
    },
  }),
  'a token, scoped again': (cloud) => ({
    credentials: {
      method: 'token',
      authUrl: cloud.keystoneUrl,
      token: cloud.identity.issue(demo, undefined).id,
      scope: { project: { id: demo.project.id } },
    },
  }),
  'per_user with a catalog in the shape of v3': (cloud) => ({
    context: {
      authToken: cloud.identity.issue(demo, demo.project.id).id,
      serviceCatalog: cloud.catalogFor(demo.project.id),
    },
  }),
  'per_user with a catalog in the shape of v2': (cloud) => ({
    context: {
      authToken: cloud.identity.issue(demo, demo.project.id).id,
      serviceCatalog: cloud.v2CatalogFor(demo.project.id),
    },
  }),
  'per_user with backup_swift_url': (cloud) => ({
    backupSwiftUrl: `${cloud.origin}/v1/AUTH_`,
    context: { authToken: cloud.identity.issue(demo, demo.project.id).id, projectId: demo.project.id },
  }),
  'single_user by Cinder’s flags, Keystone’s URL from the context’s catalog': (cloud) => ({
    backupSwiftAuth: 'single_user',
    backupSwiftAuthVersion: '3',
    backupSwiftUser: demo.name,
    backupSwiftKey: demo.password,
    backupSwiftProject: demo.project.name,
    context: { authToken: 'of somebody', serviceCatalog: cloud.catalogFor(demo.project.id) },
  }),
  'single_user, version 2, as tenant:user': (cloud) => ({
    backupSwiftAuth: 'single_user',
    backupSwiftAuthVersion: '2',
    backupSwiftAuthUrl: `${cloud.origin}/v2.0`,
    backupSwiftUser: `${demo.project.name}:${demo.name}`,
    backupSwiftKey: demo.password,
  }),
  'a token provider of one’s own': (cloud) => ({
    tokenProvider: {
      authenticate: () =>
        Promise.resolve({
          token: cloud.identity.issue(demo, demo.project.id).id,
          storageUrl: `${cloud.origin}/v1/AUTH_${demo.project.id}`,
          expiresAt: null,
        }),
    },
  }),
  'a service token beside it': (cloud) => ({
    credentials: demoPassword(cloud),
    backupSwiftServiceAuth: true,
    serviceCredentials: {
      method: 'password',
      authUrl: cloud.keystoneUrl,
      userId: cinder.id,
      password: cinder.password,
      scope: { project: { id: cinder.project.id } },
    },
  }),
}

describe('signing in', () => {
  for (const [name, options] of Object.entries(ways)) {
    it(`works with ${name}`, async () => {
      await using cloud = await TestCloud.start({ keystoneV2: true })
      await using driver = await getBackupDriver({ ...fast, ...options(cloud) })
      await driver.checkForSetupError()
      await driver.putContainer('c', {})
      const swift = cloud.requests.filter(({ service }) => service === 'swift')
      assert.ok(swift.length >= 3)
      const hasService = swift.every(({ headers }) => typeof headers['x-service-token'] === 'string')
      assert.equal(hasService, name === 'a service token beside it')
    })
  }

  const refused: readonly (readonly [
    string,
    BackupErrorCode,
    RegExp,
    SwiftStoreOptions | ((cloud: TestCloud) => SwiftStoreOptions),
    TestCloudOptions?,
  ])[] = [
    ['nothing', 'OPTION_INVALID', /Cannot sign in: no option determines how/, {}],
    [
      'a wrong password',
      'AUTH_FAILED',
      /the user or its domain, the password, the project/,
      (cloud) => ({ credentials: { ...demoPassword(cloud), password: 'wrong' } }),
    ],
    [
      'a wrong key of auth version 1',
      'AUTH_FAILED',
      /ST_KEY/,
      (cloud) => ({ credentials: { method: 'v1', authUrl: cloud.v1AuthUrl, user: 'a:b', key: 'k' } }),
    ],
    [
      'a user name without a domain',
      'OPTION_INVALID',
      /OS_USER_DOMAIN_NAME/,
      (cloud) => ({
        credentials: {
          method: 'password',
          authUrl: cloud.keystoneUrl,
          username: 'demo',
          password: 'x',
          scope: {},
        },
      }),
    ],
    [
      'two scopes',
      'OPTION_INVALID',
      /one scope/,
      (cloud) => ({ credentials: { ...demoPassword(cloud), scope: { trustId: 't', domain: { id: 'd' } } } }),
    ],
    [
      'a token without a project',
      'ENDPOINT_NOT_FOUND',
      /the token has no service catalog/,
      (cloud) => ({ credentials: { ...demoPassword(cloud), scope: {} } }),
    ],
    [
      'Keystone v2.0 where there is none',
      'AUTH_FAILED',
      /use v3/,
      (cloud) => ({
        credentials: {
          method: 'keystone-v2',
          authUrl: cloud.origin,
          username: 'u',
          password: 'p',
          tenantName: 't',
        },
      }),
    ],
    [
      'a region that is not there',
      'ENDPOINT_NOT_FOUND',
      /in region Mars.*RegionOne/s,
      (cloud) => ({ credentials: demoPassword(cloud), backupSwiftRegionName: 'Mars' }),
    ],
    [
      'a service that is not there',
      'ENDPOINT_NOT_FOUND',
      /named cloudfiles.*swift/s,
      (cloud) => ({
        credentials: demoPassword(cloud),
        swiftCatalogInfo: 'object-store:cloudfiles:publicURL',
      }),
    ],
    [
      'a type that is not there',
      'ENDPOINT_NOT_FOUND',
      /identity, object-store/,
      (cloud) => ({ credentials: demoPassword(cloud), swiftCatalogInfo: 'blobs::publicURL' }),
    ],
    [
      'a catalog info of another shape',
      'OPTION_INVALID',
      /<service_type>:<service_name>:<endpoint_type>/,
      (cloud) => ({ credentials: demoPassword(cloud), swiftCatalogInfo: 'object-store:swift' }),
    ],
    [
      'single_user without a user',
      'OPTION_INVALID',
      /backup_swift_user not set/,
      { backupSwiftAuth: 'single_user' },
    ],
    [
      'single_user without a URL',
      'OPTION_INVALID',
      /Could not determine which Keystone endpoint/,
      { backupSwiftAuth: 'single_user', backupSwiftUser: 'u', backupSwiftKey: 'k' },
    ],
    [
      'backup_swift_url and no project',
      'ENDPOINT_NOT_FOUND',
      /requires a project id/,
      (cloud) => ({ backupSwiftUrl: `${cloud.origin}/v1/AUTH_`, context: { authToken: 't' } }),
    ],
    [
      'service auth without its user',
      'OPTION_INVALID',
      /serviceCredentials/,
      (cloud) => ({ credentials: demoPassword(cloud), backupSwiftServiceAuth: true }),
    ],
    [
      'a catalog that is not an array',
      'CATALOG_INVALID',
      /not an array/,
      { context: { authToken: 't', serviceCatalog: {} } },
    ],
    [
      'a catalog with a password in its URL',
      'CATALOG_INVALID',
      /user or a password/,
      (cloud) => ({ credentials: demoPassword(cloud) }),
      {
        catalog: (_catalog, origin) => [
          {
            type: 'object-store',
            name: 'swift',
            endpoints: [{ interface: 'public', region: 'R', url: origin.replace('//', '//a:b@') }],
          },
        ],
      },
    ],
    [
      'a catalog that is not of the web',
      'CATALOG_INVALID',
      /not http/,
      (cloud) => ({ credentials: demoPassword(cloud) }),
      {
        catalog: () => [
          {
            type: 'object-store',
            name: 'swift',
            endpoints: [{ interface: 'public', region: 'R', url: 'file:///etc' }],
          },
        ],
      },
    ],
  ]
  for (const [name, code, message, options, cloudOptions] of refused) {
    it(`with ${name} is ${code}`, async () => {
      await using cloud = await TestCloud.start(cloudOptions)
      const attempt = async (): Promise<void> => {
        await using driver = await getBackupDriver({
          ...fast,
          ...(typeof options === 'function' ? options(cloud) : options),
        })
        await driver.checkForSetupError()
      }
      await assert.rejects(attempt, (error) => {
        assert.ok(isBackupError(error, code), String(error))
        assert.match(error.message, message)
        return true
      })
      // Many failed sign-ins lock an account.
      assert.ok(cloud.requests.filter(({ service }) => service !== 'swift').length <= 1)
    })
  }

  it('takes the one service of its type under any name, where no name was chosen', async () => {
    await using cloud = await TestCloud.start({
      catalog: (catalog) =>
        JSON.parse(JSON.stringify(catalog).replace('"swift"', '"Object Storage"')) as unknown[],
    })
    await using driver = await getBackupDriver({ ...fast, credentials: demoPassword(cloud) })
    await driver.checkForSetupError()
    assert.ok(cloud.requests.some(({ service }) => service === 'swift'))
  })
})
