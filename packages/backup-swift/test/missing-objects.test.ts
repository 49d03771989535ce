import { isBackupError, type RetryEvent } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import type { SwiftObjectReader } from '../src/objects.js'
import { TestCloud } from '../../../test-fixtures/test-cloud/index.js'
import { demoPassword, fast } from './support.js'

let cloud: TestCloud
beforeEach(async () => {
  cloud = await TestCloud.start()
})
afterEach(async () => {
  await cloud.close()
})

const reads: Readonly<Record<string, (reader: SwiftObjectReader) => Promise<Uint8Array>>> = {
  'a read': (reader) => reader.read({}),
  'a read of a range': (reader) => reader.readRange(0, 3, {}),
}
const isGet = ({ method, target }: { method: string; target: string }): boolean =>
  method === 'GET' && target.endsWith('/c/o')

describe.each(Object.entries(reads))('%s of an object that one replica does not have', (_name, read) => {
  it.each([0, 3])(
    'asks all replicas, and reports no retry, with %i retries: the 404 is the answer',
    async (backupSwiftRetryAttempts) => {
      const retries: RetryEvent[] = []
      await using driver = new SwiftBackupDriver({
        ...fast,
        backupSwiftRetryAttempts,
        credentials: demoPassword(cloud),
        onRetry: (event) => retries.push(event),
      })
      await driver.putContainer('c', {})
      const reader = await driver.getObjectReader('c', 'o', { extraMetadata: null })
      await assert.rejects(read(reader), (error) => {
        assert.ok(isBackupError(error, 'OBJECT_MISSING'), String(error))
        assert.doesNotMatch(error.message, /Tried/)
        return true
      })
      const newest = cloud.requests.filter(isGet).map(({ headers }) => headers['x-newest'])
      assert.deepEqual(newest, [undefined, 'true'])

      cloud.store.put(cloud.demo.get('c')!, 'o', Buffer.from('abc'))
      cloud.faults.add({ fault: { kind: 'status', status: 404 }, when: isGet })
      assert.equal(Buffer.from(await read(reader)).toString(), 'abc')
      assert.deepEqual(retries, [])
    },
  )

  it('reports the failures of a server beside it', async () => {
    const retries: RetryEvent[] = []
    await using driver = new SwiftBackupDriver({
      ...fast,
      credentials: demoPassword(cloud),
      onRetry: (event) => retries.push(event),
    })
    await driver.putContainer('c', {})
    cloud.faults.add({ fault: { kind: 'status', status: 503 }, when: isGet })
    const reader = await driver.getObjectReader('c', 'o', { extraMetadata: null })
    await assert.rejects(read(reader), (error) => isBackupError(error, 'OBJECT_MISSING'))
    assert.deepEqual(
      retries.map(({ attempt, error }) => [attempt, error.details.status]),
      [[1, 503]],
    )
  })
})
