import { bufferVolume, isBackupError } from '@stowage/backup-core'
import type { BackupErrorCode } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import type { SeenRequest } from '../../../test-fixtures/test-cloud/index.js'
import { TestCloud } from '../../../test-fixtures/test-cloud/index.js'
import { demoPassword, fast } from './support.js'
import { patterned } from '../../../test-fixtures/patterned.js'

let cloud: TestCloud
beforeEach(async () => {
  cloud = await TestCloud.start({ listingLimit: 3 })
})
afterEach(async () => {
  await cloud.close()
})

const open = (container: string): SwiftBackupDriver =>
  new SwiftBackupDriver({ ...fast, credentials: demoPassword(cloud), container })
const volume = bufferVolume(patterned(100_000, 1))
const changed = bufferVolume(patterned(100_000, 2))
const parent = { volumeId: 'v', backupId: 'parent-1' }
const child = { volumeId: 'v', backupId: 'child-1', parent: 'parent-1' }

/** Whether a request lists the container, from its first page or from a later one. */
const lists =
  (container: string, page: 'first' | 'later' | 'any' = 'any') =>
  ({ service, method, target }: SeenRequest): boolean =>
    service === 'swift' &&
    method === 'GET' &&
    new RegExp(`^/v1/[^/]+/${container}/?\\?`).test(target) &&
    (page === 'any' || target.includes('marker=') === (page === 'later'))
const isAccountListing = ({ service, method, target }: SeenRequest): boolean =>
  service === 'swift' && method === 'GET' && /^\/v1\/[^/]+\/?(?:\?|$)/.test(target)

function answer404(when: (request: SeenRequest) => boolean, times = Infinity): void {
  cloud.faults.add({ fault: { kind: 'status', status: 404 }, when, times })
}

const is =
  (code: BackupErrorCode, message = /./) =>
  (error: unknown): boolean => {
    assert.ok(isBackupError(error, code), String(error))
    assert.match(error.message, message)
    return true
  }

async function names(driver: SwiftBackupDriver, container: string): Promise<string[]> {
  const found: string[] = []
  for await (const name of driver.getContainerEntries(container, '', {})) found.push(name)
  return found
}

describe('a listing that is answered with 404', () => {
  it('is empty where there is no such container, also beside one whose name begins with its name', async () => {
    await using driver = open('c')
    await driver.putContainer('c-2', {})
    assert.deepEqual(await names(driver, 'c'), [])
    assert.deepEqual(await driver.listBackups(), [])
  })

  it('is asked for again, and rejects with STORE_FAILED, where the account lists the container', async () => {
    await using driver = open('c')
    await driver.backup(parent, volume)
    const all = await names(driver, 'c')
    answer404(lists('c'), 2)
    assert.deepEqual(await names(driver, 'c'), all)
    answer404(lists('c'))
    await assert.rejects(
      names(driver, 'c'),
      is('STORE_FAILED', /account lists it \(status 404; request tx.*Tried 4 times/),
    )
    await assert.rejects(driver.listBackups(), is('STORE_FAILED'))
  })

  it('is empty where the account may not be listed', async () => {
    await using driver = open('c')
    cloud.faults.add({ fault: { kind: 'status', status: 403 }, when: isAccountListing, times: Infinity })
    assert.deepEqual(await names(driver, 'c'), [])
  })

  it('rejects on a page after the first, also where the account may not be listed', async () => {
    await using driver = open('c')
    await driver.backup(parent, volume)
    await driver.backup(child, changed)
    assert.ok((await names(driver, 'c')).length > 3)
    answer404(lists('c', 'later'), 2)
    assert.ok((await names(driver, 'c')).length > 3)
    cloud.faults.add({ fault: { kind: 'status', status: 403 }, when: isAccountListing, times: Infinity })
    answer404(lists('c', 'later'))
    await assert.rejects(names(driver, 'c'), is('STORE_FAILED', /page 2.*does not exist/))
  })

  it('rejects for the account', async () => {
    await using driver = open('c')
    await driver.backup(parent, volume)
    answer404(isAccountListing)
    await assert.rejects(driver.listBackups(), is('STORE_FAILED', /account does not exist/))
  })
})

describe('a delete while listings are answered with 404', () => {
  it('does not remove the parent of an incremental in its own container (A1)', async () => {
    await using driver = open('c')
    const record = await driver.backup(parent, volume)
    await driver.backup(child, changed)
    for (const page of ['any', 'first', 'later'] as const) {
      answer404(lists('c', page))
      await assert.rejects(driver.deleteBackup(record), is('DEPENDENTS_UNKNOWN', /container c/))
      cloud.faults.clear()
    }
    await driver.restore('child-1', bufferVolume())
  })

  it('does not, where the account cannot be listed either, with `force` (A1)', async () => {
    await using driver = open('c')
    const record = await driver.backup(parent, volume)
    await driver.backup(child, changed)
    cloud.faults.add({ fault: { kind: 'status', status: 403 }, when: isAccountListing, times: Infinity })
    answer404(lists('c'), 2)
    await assert.rejects(driver.deleteBackup(record, { force: true }), is('HAS_DEPENDENTS'))
    cloud.faults.clear()
    await driver.restore('child-1', bufferVolume())
  })

  it.each(['any', 'later'] as const)(
    'does not remove the parent of an incremental in another container (A1): %s page',
    async (page) => {
      await using driver = open('c')
      await driver.backup(parent, volume)
      await driver.backup({ ...child, container: 'b' }, changed)
      answer404(lists('b', page))
      const outcome = driver.deleteBackup('parent-1')
      await assert.rejects(outcome, is('DEPENDENTS_UNKNOWN', /Listing container b failed/))
      cloud.faults.clear()
      await driver.restore('child-1', bufferVolume())
    },
  )

  it('succeeds where another process deleted that container meanwhile', async () => {
    await using driver = open('c')
    await driver.backup(parent, volume)
    await driver.backup({ volumeId: 'w', backupId: 'other-1', container: 'b' }, changed)
    answer404((request) => {
      if (!lists('b')(request)) return false
      cloud.demo.delete('b')
      return true
    })
    await driver.deleteBackup('parent-1')
    assert.deepEqual(await driver.listBackups(), [])
  })

  it('is not refused for a missing container of the driver itself', async () => {
    await using driver = open('missing')
    await driver.backup({ ...parent, container: 'b' }, volume)
    cloud.demo.delete('missing')
    await driver.deleteBackup('parent-1')
    assert.deepEqual(await driver.listBackups(), [])
  })
})
