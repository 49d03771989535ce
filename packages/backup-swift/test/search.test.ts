import { bufferVolume, isBackupError } from '@stowage/backup-core'
import type { BackupErrorCode } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { getBackupDriverForUrl, SwiftBackupDriver } from '../src/index.js'
import { TestCloud } from '../../../test-fixtures/test-cloud/index.js'
import type { SeenRequest } from '../../../test-fixtures/test-cloud/index.js'
import { demoPassword, fast } from './support.js'
import { patterned } from '../../../test-fixtures/patterned.js'

let cloud: TestCloud
beforeEach(async () => {
  cloud = await TestCloud.start()
})
afterEach(async () => {
  await cloud.close()
})

const open = (url: string): Promise<SwiftBackupDriver> =>
  getBackupDriverForUrl(url, { ...fast, credentials: demoPassword(cloud) })
const volume = bufferVolume(patterned(100_000, 1))
const changed = bufferVolume(patterned(100_000, 2))
const parent = { volumeId: 'v', backupId: 'parent-1' }
const child = { volumeId: 'v', backupId: 'child-1', parent: 'parent-1' }
const objects = (container: string): string[] => [...(cloud.demo.get(container)?.objects.keys() ?? [])]
const isAccountListing = ({ service, method, target }: SeenRequest): boolean =>
  service === 'swift' && method === 'GET' && /^\/v1\/[^/]+\/?(?:\?|$)/.test(target)
const forbidAccountListing = (): void => {
  cloud.faults.add({ fault: { kind: 'status', status: 403 }, when: isAccountListing, times: Infinity })
}
const is =
  (code: BackupErrorCode, message = /./) =>
  (error: unknown): boolean => {
    assert.ok(isBackupError(error, code), String(error))
    assert.match(error.message, message)
    return true
  }

describe('a store of one container', () => {
  it('refuses a backup into another container, before anything is written', async () => {
    for (const driver of [
      await open('swift://A'),
      new SwiftBackupDriver({
        ...fast,
        credentials: demoPassword(cloud),
        container: 'A',
        search: 'container',
      }),
    ]) {
      await driver.backup({ ...parent, container: 'A' }, volume)
      const before = objects('A')
      for (const request of [
        { ...child, container: 'B' },
        { volumeId: 'w', container: 'B' },
      ]) {
        const refused = driver.backup(request, changed)
        await assert.rejects(refused, is('OPTION_INVALID', /container B.*swift:\/\/B.*"swift:"/))
      }
      assert.deepEqual([...cloud.demo.keys()], ['A'])
      assert.deepEqual(objects('A'), before)
      await driver.deleteBackup(parent.backupId)
      await driver.close()
    }
  })

  it('does not delete the parent of an incremental that lies in a container that it does not search', async () => {
    await using account = await open('swift:')
    await account.backup({ ...parent, container: 'A' }, volume)
    await account.backup({ ...child, container: 'B' }, changed)
    await using driver = await open('swift://A')
    await assert.rejects(driver.deleteBackup('parent-1'), is('HAS_DEPENDENTS', /child-1/))
    const target = bufferVolume()
    await account.restore('child-1', target)
    assert.ok(Buffer.from(changed.bytes).equals(target.bytes))
    const { deleted } = await driver.deleteBackup('parent-1', { withDescendants: true })
    assert.deepEqual(deleted, ['child-1', 'parent-1'])
    assert.deepEqual([objects('A'), objects('B')], [[], []])
  })

  it('lists, finds and restores only what is in its container', async () => {
    await using account = await open('swift:')
    await account.backup({ ...parent, container: 'A' }, volume)
    await account.backup({ volumeId: 'w', backupId: 'other-1', container: 'B' }, changed)
    await using driver = await open('swift://A')
    assert.deepEqual(
      (await driver.listBackups()).map(({ id }) => id),
      ['parent-1'],
    )
    await assert.rejects(driver.restore('other-1', bufferVolume()), is('BACKUP_NOT_FOUND'))
    // A record says where its backup is.
    const record = await account.getBackup('other-1')
    const target = bufferVolume()
    await driver.restore(record, target)
    assert.ok(Buffer.from(changed.bytes).equals(target.bytes))
  })
})

describe('a user of a container ACL, who may not list the account', () => {
  it('deletes a backup only with `force`, since an incremental in another container cannot be found (A1)', async () => {
    await using account = await open('swift:')
    await account.backup({ ...parent, container: 'A' }, volume)
    await account.backup({ ...child, container: 'B' }, changed)
    const before = objects('A')
    forbidAccountListing()
    const warnings: string[] = []
    for (const url of ['swift://A', 'swift:']) {
      await using driver = await getBackupDriverForUrl(url, {
        ...fast,
        credentials: demoPassword(cloud),
        ...(url === 'swift:' ? { container: 'A' } : {}),
        onWarning: ({ code, message }) => warnings.push(`${code}: ${message}`),
      })
      const refusal = is(
        'DEPENDENTS_UNKNOWN',
        /list of containers.*status 403.*no access to the account.*`force`/s,
      )
      await assert.rejects(driver.deleteBackup('parent-1'), refusal)
      await assert.rejects(driver.deleteBackup('parent-1', { withDescendants: true }), refusal)
    }
    assert.deepEqual(objects('A'), before)
    assert.deepEqual(warnings, [])
    cloud.faults.clear()
    await account.restore('child-1', bufferVolume())
  })

  it('backs up, lists, restores and deletes with `force` in its container', async () => {
    await using account = await open('swift:')
    await account.putContainer('A', {})
    forbidAccountListing()
    const warnings: string[] = []
    await using driver = await getBackupDriverForUrl('swift://A', {
      ...fast,
      credentials: demoPassword(cloud),
      onWarning: ({ code, message }) => warnings.push(`${code}: ${message}`),
    })
    await driver.backup(parent, volume)
    await driver.backup(child, changed)
    const target = bufferVolume()
    await driver.restore('child-1', target)
    assert.ok(Buffer.from(changed.bytes).equals(target.bytes))
    await assert.rejects(driver.deleteBackup('parent-1', { force: true }), is('HAS_DEPENDENTS'))
    assert.deepEqual(warnings, [])
    await driver.deleteBackup('child-1', { force: true })
    assert.match(warnings.join(), /^DEPENDENT_IGNORED: .*child-1.*account[^,]*$/s)
    await driver.deleteBackup('parent-1', { force: true })
    assert.deepEqual(objects('A'), [])
  })
})

describe('a store of the account', () => {
  it('refuses another container than its own where the user may not list the account', async () => {
    forbidAccountListing()
    await using driver = await open('swift:')
    const refused = driver.backup({ ...parent, container: 'B' }, volume)
    await assert.rejects(refused, is('FORBIDDEN', /no permission to list/))
    assert.deepEqual([...cloud.demo.keys()], [])
    await driver.backup(parent, volume)
  })
})
