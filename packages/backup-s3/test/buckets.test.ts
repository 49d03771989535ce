import { bufferVolume, isBackupError, type BackupErrorCode } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { patterned } from '../../../test-fixtures/patterned.js'
import { TestS3 } from '../../../test-fixtures/test-s3/index.js'
import { S3BackupDriver, type S3DriverOptions } from '../src/index.js'
import { optionsFor } from './support.js'

const volume = patterned(20_000, 3)
const extraMetadata = null

let s3: TestS3
beforeEach(async () => {
  s3 = await TestS3.start()
})
afterEach(() => s3.close())

const driverWith = (options: S3DriverOptions = {}): S3BackupDriver =>
  new S3BackupDriver({ ...optionsFor(s3), container: 'nightly', chunkSizeBytes: 65_536, ...options })

const rejectsWith =
  (code: BackupErrorCode, message: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(isBackupError(error, code), String(error))
    assert.match(error.message, message)
    return true
  }

/** A bucket beside the driver's own, whose listings are refused with a status. */
function refuseOther(status: number, headers: Readonly<Record<string, string>> = {}): void {
  s3.buckets.set('other', { objects: new Map(), uploads: new Map() })
  s3.faults.add({
    fault: { kind: 'status', status, headers },
    when: ({ target }) => target.startsWith('/other'),
    times: Infinity,
  })
}

describe('other buckets of the keys', () => {
  const region = { 'x-amz-bucket-region': 'eu-north-1' }

  for (const search of ['account', 'container'] as const) {
    it(`in another region do not prevent a list or a delete with search: '${search}'`, async () => {
      refuseOther(301, region)
      await using driver = driverWith({ search })
      const { id } = await driver.backup({ volumeId: 'v' }, bufferVolume(volume))
      assert.deepEqual(
        (await driver.listBackups()).map((record) => record.id),
        [id],
      )
      await driver.deleteBackup(id)
      assert.deepEqual(await driver.listBackups(), [])
    })
  }

  it('that may not be listed do not prevent a delete in a store of one bucket', async () => {
    refuseOther(403)
    await using driver = driverWith({ search: 'container' })
    const { id } = await driver.backup({ volumeId: 'v' }, bufferVolume(volume))
    await driver.deleteBackup(id)
    assert.deepEqual(await driver.listBackups(), [])
  })

  it('that may not be listed prevent a delete in a store of all buckets: they may hold an incremental', async () => {
    refuseOther(403)
    await using driver = driverWith({ search: 'account' })
    const { id } = await driver.backup({ volumeId: 'v' }, bufferVolume(volume))
    await assert.rejects(driver.deleteBackup(id), rejectsWith('DEPENDENTS_UNKNOWN', /cannot be read/))
  })

  it('are the own one with an error, where that is in another region', async () => {
    s3.buckets.set('nightly', { objects: new Map(), uploads: new Map() })
    s3.faults.add({
      fault: { kind: 'status', status: 301, headers: region },
      when: ({ target }) => target.startsWith('/nightly'),
      times: Infinity,
    })
    await using driver = driverWith()
    await assert.rejects(driver.listBackups(), rejectsWith('OPTION_INVALID', /Set region to eu-north-1/))
  })
})

describe('creating a bucket', () => {
  it('is tried again while another client creates it', async () => {
    const fault = { kind: 'status', status: 409, headers: { 'x-test-code': 'OperationAborted' } } as const
    s3.faults.add({ fault, when: ({ method }) => method === 'PUT', times: 2 })
    await using driver = driverWith()
    await driver.putContainer('nightly', {})
    assert.equal(s3.requests.filter(({ method }) => method === 'PUT').length, 3)
    s3.faults.add({ fault, when: ({ method }) => method === 'PUT', times: Infinity })
    await assert.rejects(driver.putContainer('second', {}), rejectsWith('CONFLICT', /another client changes/))
  })

  it('is not tried again where the name is another user’s', async () => {
    const fault = { kind: 'status', status: 409, headers: { 'x-test-code': 'BucketAlreadyExists' } } as const
    s3.faults.add({ fault, when: ({ method }) => method === 'PUT', times: Infinity })
    await using driver = driverWith()
    await assert.rejects(
      driver.putContainer('nightly', {}),
      rejectsWith('FORBIDDEN', /belongs to somebody else/),
    )
    assert.equal(s3.requests.filter(({ method }) => method === 'PUT').length, 1)
  })
})

describe('a bucket that requires Content-MD5, as with Object Lock', () => {
  it('gets it from its first refusal on', async () => {
    const large = patterned(14 * 1024 ** 2, 4)
    await using driver = driverWith({ chunkSizeBytes: 7 * 1024 ** 2, concurrency: 1 })
    await driver.putContainer('nightly', {})
    const fault = { kind: 'status', status: 400, headers: { 'x-test-code': 'MissingContentMD5' } } as const
    s3.faults.add({ fault, when: ({ method, target }) => method === 'PUT' && /-\d{5}$/.test(target) })
    const { id } = await driver.backup({ volumeId: 'v' }, bufferVolume(large))
    await driver.verify(id, { level: 'full' })
    const chunks = s3.requests.filter(({ method, target }) => method === 'PUT' && /-\d{5}$/.test(target))
    const without = chunks.filter(({ headers }) => headers['content-md5'] === undefined)
    assert.ok(without.length >= 1 && without.length < chunks.length, `${without.length} of ${chunks.length}`)
    assert.equal(chunks.at(-1)?.headers['content-md5'] === undefined, false)
  })

  it('is an error where it refuses an object that has it', async () => {
    await using driver = driverWith()
    await driver.putContainer('nightly', {})
    const fault = { kind: 'status', status: 400, headers: { 'x-test-code': 'MissingContentMD5' } } as const
    s3.faults.add({ fault, when: ({ method }) => method === 'PUT', times: Infinity })
    const writer = await driver.getObjectWriter('nightly', 'a', { extraMetadata })
    await writer.write(volume)
    await assert.rejects(writer.close(), rejectsWith('STORE_FAILED', /requires the MD5/))
  })
})

describe('a listing', () => {
  it('is rejected where each page is the first one, with another token', async () => {
    let pages = 0
    const server = createServer((_request, response) => {
      pages += 1
      response.end(
        '<ListBucketResult><IsTruncated>true</IsTruncated>' +
          `<NextContinuationToken>${pages}</NextContinuationToken>` +
          '<Contents><Key>a</Key></Contents><Contents><Key>b</Key></Contents></ListBucketResult>',
      )
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { port } = server.address() as AddressInfo
      await using driver = driverWith({ backupS3EndpointUrl: `http://127.0.0.1:${port}` })
      const found: string[] = []
      const list = async (): Promise<void> => {
        for await (const name of driver.getContainerEntries('nightly', '', {})) found.push(name)
      }
      await assert.rejects(list(), rejectsWith('LISTING_INVALID', /its pages are repeated/))
      assert.deepEqual([pages, found], [2, ['a', 'b']])
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})
