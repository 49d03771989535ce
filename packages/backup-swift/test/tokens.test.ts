import { isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { describe, it } from 'vitest'
import { getBackupDriver, SwiftBackupDriver } from '../src/index.js'
import { TestCloud, testUsers, testV1User } from '../../../test-fixtures/test-cloud/index.js'
import { demoPassword, fast } from './support.js'

const { demo } = testUsers

describe('tokens', () => {
  it('are renewed ahead of their end, so that no request meets a 401', async () => {
    await using cloud = await TestCloud.start({ tokenSeconds: 0.4 })
    await using driver = await getBackupDriver({ ...fast, credentials: demoPassword(cloud) })
    const endAt = Date.now() + 1500
    while (Date.now() < endAt) await driver.putContainer('c', {})
    const signIns = cloud.requests.filter(({ service }) => service === 'keystone').length
    assert.ok(signIns >= 4 && signIns <= 8, `signed in ${signIns} times`)
  })

  it('are renewed once for all requests that were refused at once', async () => {
    await using cloud = await TestCloud.start()
    await using driver = await getBackupDriver({ ...fast, credentials: demoPassword(cloud) })
    await driver.checkForSetupError()
    cloud.identity.revokeAll()
    await Promise.all(Array.from({ length: 10 }, (_, n) => driver.putContainer(`c${n}`, {})))
    assert.equal(cloud.requests.filter(({ service }) => service === 'keystone').length, 2)
  })

  it('that were given are renewed by the caller’s function, and end with AUTH_EXPIRED without one', async () => {
    await using cloud = await TestCloud.start()
    const issue = (): string => cloud.identity.issue(demo, demo.project.id).id
    const serviceCatalog = cloud.catalogFor(demo.project.id)
    let renewals = 0
    const renewToken = (): Promise<string> => {
      renewals += 1
      return Promise.resolve(issue())
    }
    for (const withRenewal of [true, false]) {
      const context = { authToken: issue(), serviceCatalog, ...(withRenewal ? { renewToken } : {}) }
      await using driver = await getBackupDriver({ ...fast, context })
      await driver.checkForSetupError()
      cloud.identity.revokeAll()
      if (withRenewal) await driver.checkForSetupError()
      else await assert.rejects(driver.checkForSetupError(), (error) => isBackupError(error, 'AUTH_EXPIRED'))
    }
    assert.equal(renewals, 1)
  })

  it('of auth version 1 are asked for anew, where the same one would come again', async () => {
    await using cloud = await TestCloud.start()
    const { user, key } = testV1User
    const credentials = { method: 'v1', authUrl: cloud.v1AuthUrl, user, key } as const
    await using driver = await getBackupDriver({ ...fast, credentials })
    await driver.checkForSetupError()
    cloud.faults.add({ fault: { kind: 'status', status: 401 }, when: ({ service }) => service === 'swift' })
    await driver.checkForSetupError()
    const asked = cloud.requests.filter(({ service }) => service === 'v1')
    assert.deepEqual(
      asked.map(({ headers }) => headers['x-auth-new-token']),
      [undefined, 'true'],
    )
  })

  it('and passwords are in no message and in nothing that is inspected', async () => {
    await using cloud = await TestCloud.start()
    await using driver = new SwiftBackupDriver({ ...fast, credentials: demoPassword(cloud) })
    await driver.checkForSetupError()
    const token = String(cloud.requests.find(({ service }) => service === 'swift')?.headers['x-auth-token'])
    cloud.faults.add({ fault: { kind: 'status', status: 500 }, times: Infinity })
    const error: unknown = await driver.putContainer('c', {}).catch((failure: unknown) => failure)
    const seen = inspect([driver, error], { depth: 20, showHidden: true })
    assert.ok(isBackupError(error, 'STORE_UNAVAILABLE'))
    for (const secret of [demo.password, token]) assert.ok(!seen.includes(secret))
  })
})
