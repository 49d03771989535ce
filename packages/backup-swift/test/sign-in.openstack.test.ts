import { bufferVolume, isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import type { SwiftStoreOptions } from '../src/index.js'
import { getBackupDriver } from '../src/index.js'
import { demoToken } from './lab-account.js'
import { lab, labOptions, passwordOf, plainRegion, projectOf, theLab } from './lab.js'
import { patterned } from '../../../test-fixtures/patterned.js'

/** Each way of signing in, with the options that it takes. */
const ways: Readonly<Record<string, (directory: string) => SwiftStoreOptions | Promise<SwiftStoreOptions>>> =
  {
    'per_user, with a token and its catalog': async () => {
      const { token, catalog } = await demoToken()
      return { ...plainRegion(), context: { authToken: token, serviceCatalog: catalog } }
    },
    'per_user, with a token and backup_swift_url': async () => {
      const { token } = await demoToken()
      const { swiftUrl, users } = theLab()
      return {
        ...labOptions,
        backupSwiftUrl: `${swiftUrl}/v1/AUTH_`,
        context: { authToken: token, projectId: users.demo.projectId },
      }
    },
    'single_user, auth version 1': () => {
      const { v1AuthUrl, v1Users } = theLab()
      return {
        ...labOptions,
        backupSwiftAuth: 'single_user',
        backupSwiftAuthUrl: v1AuthUrl,
        backupSwiftUser: v1Users[0]!.user,
        backupSwiftKey: v1Users[0]!.key,
      }
    },
    'single_user, Keystone v3, from a cinder.conf': () => {
      const { keystoneUrl, users, region } = theLab()
      const { name, password, projectName } = users.demo
      return {
        ...labOptions,
        cinderConf: [
          '[DEFAULT]',
          'backup_driver = cinder.backup.drivers.swift.SwiftBackupDriver',
          'backup_swift_auth = single_user',
          'backup_swift_auth_version = 3',
          `backup_swift_auth_url = ${keystoneUrl}`,
          `backup_swift_user = ${name}`,
          `backup_swift_key = ${password}`,
          `backup_swift_project = ${projectName}`,
          `backup_swift_region_name = ${region}`,
          'backup_swift_container = from-conf',
        ].join('\n'),
      }
    },
    'a password, with names and domains of another domain': () => {
      const { users, keystoneUrl } = theLab()
      const { name, password, domainName, projectName } = users.harold
      const domain = { name: domainName }
      return {
        ...plainRegion(),
        credentials: {
          method: 'password',
          authUrl: keystoneUrl,
          username: name,
          password,
          userDomain: domain,
          scope: { project: { name: projectName, domain } },
        },
      }
    },
    'an application credential': () => {
      const { applicationCredential, keystoneUrl } = theLab()
      const { id, secret } = applicationCredential
      return {
        ...plainRegion(),
        credentials: { method: 'application-credential', authUrl: keystoneUrl, id, secret },
      }
    },
    'a token, scoped again': async () => {
      const { token } = await demoToken()
      const { keystoneUrl, users } = theLab()
      return {
        ...plainRegion(),
        credentials: { method: 'token', authUrl: keystoneUrl, token, scope: projectOf(users.demo) },
      }
    },
    'a trust': () => {
      const { users, trust } = theLab()
      return { ...plainRegion(), credentials: { ...passwordOf(users.alice), scope: { trustId: trust.id } } }
    },
    'a cloud of clouds.yaml, its password in secure.yaml': async (directory) => {
      const { keystoneUrl, region, users } = theLab()
      const { name, password, projectName } = users.demo
      const file = join(directory, 'clouds.yaml')
      const secure = join(directory, 'secure.yaml')
      await writeFile(
        file,
        `clouds:\n  lab:\n    region_name: ${region}\n    auth:\n      auth_url: ${keystoneUrl}\n      username: ${name}\n` +
          `      user_domain_name: Default\n      project_name: ${projectName}\n      project_domain_name: Default\n`,
      )
      await writeFile(secure, `clouds:\n  lab:\n    auth:\n      password: ${password}\n`)
      return {
        ...labOptions,
        cloud: 'lab',
        env: { OS_CLIENT_CONFIG_FILE: file, OS_CLIENT_SECURE_FILE: secure },
      }
    },
    'OS_ variables': () => {
      const { keystoneUrl, region, users } = theLab()
      const { name, password, projectName } = users.demo
      return {
        ...labOptions,
        env: {
          OS_AUTH_URL: keystoneUrl,
          OS_USERNAME: name,
          OS_PASSWORD: password,
          OS_USER_DOMAIN_NAME: 'Default',
          OS_PROJECT_NAME: projectName,
          OS_PROJECT_DOMAIN_NAME: 'Default',
          OS_REGION_NAME: region,
          OS_IDENTITY_API_VERSION: '3',
        },
      }
    },
    'ST_ variables': () => {
      const { v1AuthUrl, v1Users } = theLab()
      return {
        ...labOptions,
        env: { ST_AUTH: v1AuthUrl, ST_USER: v1Users[0]!.user, ST_KEY: v1Users[0]!.key },
      }
    },
    'TLS with a private CA, Keystone v3': () => {
      const { users, keystoneTlsUrl, tlsRegion, caCertFile } = theLab()
      return {
        ...labOptions,
        credentials: passwordOf(users.demo, keystoneTlsUrl),
        backupSwiftRegionName: tlsRegion,
        backupSwiftCaCertFile: caCertFile,
      }
    },
    'TLS without a check of the certificate': () => {
      const { users, keystoneTlsUrl, tlsRegion } = theLab()
      return {
        ...labOptions,
        credentials: passwordOf(users.demo, keystoneTlsUrl),
        backupSwiftRegionName: tlsRegion,
        backupSwiftAuthInsecure: true,
      }
    },
    'a service token beside the user’s': async () => {
      const { token, catalog } = await demoToken()
      return {
        ...plainRegion(),
        context: { authToken: token, serviceCatalog: catalog },
        backupSwiftServiceAuth: true,
        serviceCredentials: passwordOf(theLab().users.cinder),
      }
    },
  }

describe.skipIf(!lab)('signing in to a real Swift', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-sign-in-'))
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  for (const [name, options] of Object.entries(ways)) {
    it(`${name}: a full backup, an incremental, verify, restore and delete`, async () => {
      await using driver = await getBackupDriver({
        chunkSizeBytes: 256 * 1024,
        ...(await options(directory)),
      })
      await driver.checkForSetupError()
      const volumeId = randomUUID()
      const before = patterned(1_000_000, 1)
      const after = Buffer.from(before)
      after.fill(7, 300_000, 400_000)
      const full = await driver.backup({ volumeId }, bufferVolume(before))
      const next = await driver.backup({ volumeId, parent: full }, bufferVolume(after))
      await driver.verify(next, { level: 'full' })
      const target = bufferVolume()
      await driver.restore(next, target)
      assert.ok(after.equals(target.bytes))
      const { deleted } = await driver.deleteBackup(full, { withDescendants: true })
      assert.deepEqual(deleted, [next.id, full.id])
    })
  }

  it('a certificate of an unknown authority is TLS_FAILED, and names the option', async () => {
    const { users, keystoneTlsUrl, tlsRegion, otherCaCertFile } = theLab()
    for (const ca of [{}, { backupSwiftCaCertFile: otherCaCertFile }]) {
      await using driver = await getBackupDriver({
        ...labOptions,
        ...ca,
        credentials: passwordOf(users.demo, keystoneTlsUrl),
        backupSwiftRegionName: tlsRegion,
      })
      const error: unknown = await driver.checkForSetupError().catch((failure: unknown) => failure)
      assert.ok(isBackupError(error, 'TLS_FAILED'), String(error))
      assert.match(error.message, /backup_swift_ca_cert_file/)
    }
  })

  it('a wrong password is AUTH_FAILED, without a second try', async () => {
    const demo = { ...theLab().users.demo, password: 'wrong' }
    await using driver = await getBackupDriver({ ...plainRegion(), credentials: passwordOf(demo) })
    await assert.rejects(driver.checkForSetupError(), (error) => isBackupError(error, 'AUTH_FAILED'))
  })

  it('a user whose role Swift does not take is FORBIDDEN', async () => {
    await using driver = await getBackupDriver({
      ...plainRegion(),
      credentials: passwordOf(theLab().users.reader),
    })
    await assert.rejects(driver.checkForSetupError(), (error) => isBackupError(error, 'FORBIDDEN'))
  })

  it('several regions and none named is ENDPOINT_NOT_FOUND, with the regions', async () => {
    const { users, region, tlsRegion } = theLab()
    for (const [asked, pattern] of [
      [{}, new RegExp(`${region}, ${tlsRegion}`)],
      [{ backupSwiftRegionName: 'Nowhere' }, /Nowhere/],
    ] as const) {
      await using driver = await getBackupDriver({
        ...labOptions,
        ...asked,
        credentials: passwordOf(users.demo),
      })
      const error: unknown = await driver.checkForSetupError().catch((failure: unknown) => failure)
      assert.ok(isBackupError(error, 'ENDPOINT_NOT_FOUND'), String(error))
      assert.match(error.message, pattern)
    }
  })
})
