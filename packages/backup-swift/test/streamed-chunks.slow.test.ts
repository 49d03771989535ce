import { bufferVolume, isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import type { Fault, SeenRequest } from '../../../test-fixtures/test-cloud/index.js'
import { TestCloud } from '../../../test-fixtures/test-cloud/index.js'
import { demoPassword, fast } from './support.js'
import { patterned } from '../../../test-fixtures/patterned.js'

const mib = 2 ** 20
/** Three chunks, each of more than is held of one while it is read and sent. */
const volume = patterned(20 * mib + 1234, 1)
const request = { volumeId: 'v', backupId: 'b', container: 'c' }

const isSecondChunk = ({ method, target }: SeenRequest): boolean =>
  method === 'PUT' && target.endsWith('-00002')

let cloud: TestCloud
let driver: SwiftBackupDriver
beforeEach(async () => {
  cloud = await TestCloud.start()
  driver = new SwiftBackupDriver({
    ...fast,
    credentials: demoPassword(cloud),
    chunkSizeBytes: 8 * mib,
    concurrency: 2,
    // Hashing shares the machine with other tests: what is to time out here never answers.
    headersTimeoutSeconds: 2,
  })
})
afterEach(async () => {
  await driver.close()
  await cloud.close()
})

async function assertWhole(): Promise<void> {
  const target = bufferVolume()
  await driver.restore('b', target)
  assert.ok(volume.equals(target.bytes))
  await driver.verify('b', { level: 'full' })
}

describe('a chunk that is sent while it is read', () => {
  it('goes without an MD5 ahead, in the same bytes, and its ETag is what the metadata say', async () => {
    await driver.backup(request, bufferVolume(volume))
    const chunks = cloud.requests.filter(({ method, target }) => method === 'PUT' && /-\d{5}$/.test(target))
    assert.deepEqual(
      chunks.map(({ headers }) => [headers.etag, headers['content-length']]),
      [8 * mib, 8 * mib, 4 * mib + 1234].map((bytes) => [undefined, String(bytes)]),
    )
    const objects = [...cloud.demo.get('c')!.objects]
    const [, metadata] = objects.find(([name]) => name.endsWith('_metadata'))!
    for (const [name, { bytes }] of objects) {
      if (!/-\d{5}$/.test(name)) continue
      assert.ok(metadata.bytes.toString('utf8').includes(createHash('md5').update(bytes).digest('hex')))
    }
    await assertWhole()
  })

  const mended: Fault[] = [
    { kind: 'reset-before' },
    { kind: 'reset-during' },
    { kind: 'reset-after' },
    { kind: 'stall' },
    { kind: 'status', status: 503 },
    { kind: 'status-after', status: 503 },
    { kind: 'lying-etag' },
    { kind: 'revoke-tokens' },
  ]
  for (const fault of mended) {
    const name = fault.kind + ('status' in fault ? ` ${fault.status}` : '')
    it(`is read and sent again after ${name}`, async () => {
      cloud.faults.add({ fault, when: isSecondChunk })
      await driver.backup(request, bufferVolume(volume))
      assert.ok(cloud.requests.filter((seen) => isSecondChunk(seen)).length >= 2)
      await assertWhole()
    })
  }

  for (const [fault, code] of [
    [{ kind: 'reset-during' }, 'STORE_UNAVAILABLE'],
    [{ kind: 'status', status: 507 }, 'NO_SPACE'],
    [{ kind: 'lying-etag' }, 'OBJECT_CORRUPT'],
  ] as const) {
    it(`fails the backup with ${code} after ${fault.kind} each time, and leaves nothing`, async () => {
      cloud.faults.add({ fault, when: isSecondChunk, times: Infinity })
      await assert.rejects(driver.backup(request, bufferVolume(volume)), (error) =>
        isBackupError(error, code),
      )
      assert.deepEqual([...cloud.demo.get('c')!.objects.keys()], [])
    })
  }

  it('fails the backup with what the source says in the middle of it, and leaves nothing', async () => {
    const source = {
      size: volume.length,
      read: (offset: number, length: number) =>
        offset < 12 * mib
          ? Promise.resolve(volume.subarray(offset, offset + length))
          : Promise.reject(new Error('the disk is gone')),
    }
    await assert.rejects(driver.backup(request, source), (error) => isBackupError(error, 'SOURCE_READ'))
    assert.deepEqual([...cloud.demo.get('c')!.objects.keys()], [])
  })
})
