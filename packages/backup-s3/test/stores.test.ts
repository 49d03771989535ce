import { bufferVolume, isBackupError, type BackupErrorCode } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, it } from 'vitest'
import { patterned } from '../../../test-fixtures/patterned.js'
import { testKeys, TestS3, type TestS3Options } from '../../../test-fixtures/test-s3/index.js'
import { S3BackupDriver, type S3DriverOptions } from '../src/index.js'
import { optionsFor } from './support.js'

const volume = patterned(40_000, 3)
const request = {
  volumeId: '0a0a0a0a-0000-4000-8000-000000000001',
  backupId: '0b0b0b0b-0000-4000-8000-000000000001',
}
const extraMetadata = null

let s3: TestS3
let driver: S3BackupDriver
const warnings: string[] = []

async function start(server: TestS3Options = {}, options: S3DriverOptions = {}): Promise<void> {
  s3 = await TestS3.start(server)
  warnings.length = 0
  driver = new S3BackupDriver({
    ...optionsFor(s3),
    container: 'nightly',
    chunkSizeBytes: 8192,
    blockSizeBytes: 512,
    onWarning: ({ message }) => warnings.push(message),
    ...options,
  })
}
afterEach(async () => {
  await driver.close()
  await s3.close()
})

const rejectsWith =
  (code: BackupErrorCode, message: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(isBackupError(error, code), String(error))
    assert.match(error.message, message)
    return true
  }

async function put(name: string, bytes: Uint8Array): Promise<void> {
  const writer = await driver.getObjectWriter('nightly', name, { extraMetadata })
  await writer.write(bytes)
  try {
    await writer.close()
  } catch (error) {
    await writer.abort()
    throw error
  }
}

async function read(name: string): Promise<Buffer> {
  const reader = await driver.getObjectReader('nightly', name, { extraMetadata })
  return Buffer.from(await reader.read())
}

async function names(prefix = ''): Promise<string[]> {
  const found: string[] = []
  for await (const name of driver.getContainerEntries('nightly', prefix, {})) found.push(name)
  return found
}

async function restored(): Promise<Buffer> {
  const target = bufferVolume()
  await driver.restore(request.backupId, target)
  return Buffer.from(target.bytes)
}

const puts = (): TestS3['requests'] => s3.requests.filter(({ method }) => method === 'PUT')

describe('what a request has', () => {
  it('is the MD5 of a body that is known, no chunked encoding and no checksum of the AWS SDKs', async () => {
    await start()
    await driver.backup(request, bufferVolume(volume))
    assert.ok(puts().length > 5)
    for (const { headers } of s3.requests) {
      assert.equal(headers['content-encoding'], undefined)
      assert.equal(headers['transfer-encoding'], undefined)
      const added = Object.keys(headers).filter((name) =>
        /^x-amz-(?:checksum|sdk|trailer|decoded)/.test(name),
      )
      assert.deepEqual(added, [])
    }
    await driver.putContainer('nightly', {})
    await put('known', volume)
    const md5 = createHash('md5').update(volume).digest('base64')
    assert.equal(puts().at(-1)?.headers['content-md5'], md5)
  })

  it('is a signature that fits any name of an object', { timeout: 60_000 }, async () => {
    await start()
    await driver.putContainer('nightly', {})
    const segment = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .filter((text) => text !== '.' && text !== '..' && !/[/\0\p{Surrogate}]/u.test(text))
    const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
    await fc.assert(
      fc.asyncProperty(name, async (text) => {
        await put(text, Buffer.from(text))
        assert.equal((await read(text)).toString('utf8'), text)
        assert.ok((await names(text)).includes(text))
        await driver.deleteObjects('nightly', [text, `${text}-missing`], {})
        assert.deepEqual(await names(text), [])
      }),
      { numRuns: 60, examples: [['a+b c%d/ü&<>"\'(*)!~'], ['tab\tand\rreturn'], [' leading and trailing ']] },
    )
  })

  it('is the bucket in the host name, where that is asked for', async () => {
    await start()
    await driver.close()
    driver = new S3BackupDriver({
      ...optionsFor(s3),
      backupS3EndpointUrl: 'http://s3.localhost:1',
      backupS3RetryMaxAttempts: 0,
      pathStyle: false,
      container: 'nightly',
    })
    await assert.rejects(
      driver.checkForSetupError(),
      rejectsWith('STORE_UNAVAILABLE', /nightly\.s3\.localhost:1/),
    )
  })

  it('is the key of SSE-C for each object, and for nothing else', async () => {
    await start({}, { backupS3SseCustomerKey: 'k'.repeat(32), backupS3SseCustomerAlgorithm: 'AES256' })
    await driver.backup(request, bufferVolume(volume))
    assert.deepEqual(await restored(), volume)
    const header = 'x-amz-server-side-encryption-customer-key'
    const ofObjects = s3.requests.filter(
      ({ method, target }) => /^\/nightly\/./.test(target) && ['PUT', 'GET', 'HEAD'].includes(method),
    )
    for (const seen of ofObjects)
      assert.equal(seen.headers[header], Buffer.from('k'.repeat(32)).toString('base64'), seen.target)
    for (const seen of s3.requests)
      if (!ofObjects.includes(seen)) assert.equal(seen.headers[header], undefined)
    const objects = s3.buckets.get('nightly')?.objects.values() ?? []
    for (const { headers } of objects) assert.ok(headers[`${header}-md5`])
  })
})

describe('a store whose ETags are no MD5s', () => {
  for (const etags of ['kms', 'opaque'] as const) {
    it(`gets each MD5 ahead after the first such ETag (${etags}), with one warning`, async () => {
      // Chunks of this size are sent while they are read.
      const large = patterned(28 * 1024 ** 2, 4)
      await start({ etags }, { chunkSizeBytes: 7 * 1024 ** 2, concurrency: 2 })
      await driver.backup(request, bufferVolume(large))
      assert.ok((await restored()).equals(large))
      assert.equal(warnings.filter((text) => text.includes('no MD5s')).length, 1)
      const chunks = puts().filter(({ target }) => /-\d{5}$/.test(target))
      const without = chunks.filter(({ headers }) => headers['content-md5'] === undefined)
      // As many as run concurrently are on their way before the first response.
      assert.ok(without.length > 0 && without.length <= 2, String(without.length))
      assert.equal(chunks.length, 4 + without.length)
    })
  }

  it('is no reason to read twice where the ETag is one', async () => {
    await start()
    await driver.backup(request, bufferVolume(volume))
    assert.deepEqual(warnings, [])
    assert.equal(puts().filter(({ target }) => /-\d{5}$/.test(target)).length, 5)
  })
})

describe('a damaged transfer', () => {
  it('of an object to the store is sent again, and rejected if it is damaged each time', async () => {
    await start()
    await driver.putContainer('nightly', {})
    s3.faults.add({ fault: { kind: 'lying-etag' }, when: ({ method }) => method === 'PUT' })
    await put('once', volume)
    assert.equal(puts().filter(({ target }) => target === '/nightly/once').length, 2)
    s3.faults.add({ fault: { kind: 'lying-etag' }, when: ({ method }) => method === 'PUT', times: 99 })
    await assert.rejects(put('always', volume), rejectsWith('OBJECT_CORRUPT', /is not the same as MD5/))
    assert.deepEqual(await names(), ['once'])
  })

  it('of an object from the store is noticed by its MD5, and read once more', async () => {
    await start()
    await driver.putContainer('nightly', {})
    await put('a', volume)
    s3.faults.add({ fault: { kind: 'flipped-byte' }, when: ({ method }) => method === 'GET' })
    assert.deepEqual(await read('a'), volume)
    s3.faults.add({ fault: { kind: 'flipped-byte' }, when: ({ method }) => method === 'GET', times: 99 })
    await assert.rejects(read('a'), rejectsWith('OBJECT_CORRUPT', /length or MD5/))
  })
})

describe('an object above the limit of one PUT', () => {
  const threshold = { multipartThresholdBytes: 5 * 1024 ** 2 }
  const large = patterned(6 * 1024 ** 2, 9)

  it('is stored in parts, visible only when it is complete, and read like any other', async () => {
    await start({}, threshold)
    await driver.putContainer('nightly', {})
    await put('large', large)
    assert.deepEqual(await read('large'), large)
    assert.match(s3.buckets.get('nightly')?.objects.get('large')?.etag ?? '', /-1$/)
    const part = s3.requests.find(({ target }) => target.includes('partNumber=1'))
    assert.equal(part?.headers['content-md5'], createHash('md5').update(large).digest('base64'))
  })

  it('leaves nothing where a part cannot be stored', async () => {
    await start({}, threshold)
    await driver.putContainer('nightly', {})
    const isPart = ({ target }: { target: string }): boolean => target.includes('partNumber')
    s3.faults.add({ fault: { kind: 'status', status: 403 }, when: isPart, times: 99 })
    await assert.rejects(put('large', large), rejectsWith('FORBIDDEN', /part 1/))
    assert.deepEqual(await names(), [])
    assert.equal(s3.buckets.get('nightly')?.uploads.size, 0)
  })

  it('is stored where the response to its completion was lost', async () => {
    await start({}, threshold)
    await driver.putContainer('nightly', {})
    const completes = ({ method, target }: { method: string; target: string }): boolean =>
      method === 'POST' && target.includes('uploadId=')
    s3.faults.add({ fault: { kind: 'reset-after' }, when: completes })
    await put('large', large)
    assert.deepEqual(await read('large'), large)
  })

  it('leaves parts after a kill, which removeOrphans removes when they are old', async () => {
    await start({}, threshold)
    await driver.putContainer('nightly', {})
    const bucket = s3.buckets.get('nightly')
    const upload = { headers: {}, parts: new Map() }
    const day = 86_400_000
    bucket?.uploads.set('old', {
      ...upload,
      objectName: 'volume_a/1',
      begunAt: new Date(Date.now() - 2 * day),
    })
    bucket?.uploads.set('new', { ...upload, objectName: 'volume_a/2', begunAt: new Date() })
    bucket?.uploads.set('foreign', { ...upload, objectName: 'photos/1', begunAt: new Date(0) })
    await driver.removeOrphans({ olderThanMs: day })
    assert.deepEqual([...(bucket?.uploads.keys() ?? [])], ['new', 'foreign'])
  })
})

describe('refused requests', () => {
  it('are signed again with the store’s time, once, where the clocks differ', async () => {
    await start({ clockOffsetMs: 3 * 3_600_000 })
    await driver.putContainer('nightly', {})
    await put('a', volume)
    assert.deepEqual(await read('a'), volume)
    const refused = s3.requests.filter(({ method, target }) => method === 'PUT' && target === '/nightly/a')
    assert.equal(refused.length, 1)
    assert.equal(s3.requests.filter(({ method }) => method === 'HEAD').length, 2)
  })

  it('are sent again with new keys, once, where temporary ones have expired', async () => {
    await start()
    const keys = [
      { ...testKeys, sessionToken: 'first' },
      { ...testKeys, accessKeyId: 'AKSECOND', sessionToken: 'second' },
    ]
    let calls = 0
    await driver.close()
    driver = new S3BackupDriver({
      ...optionsFor(s3),
      container: 'nightly',
      credentials: () => Promise.resolve(keys[Math.min(calls++, 1)] ?? testKeys),
    })
    s3.keys = keys.slice(0, 1)
    await driver.putContainer('nightly', {})
    s3.keys = keys.slice(1)
    await Promise.all([put('a', volume), put('b', volume), put('c', volume)])
    assert.equal(calls, 2)
    s3.keys = []
    await assert.rejects(put('d', volume), rejectsWith('AUTH_FAILED', /refuses the keys/))
  })

  it('name the region of the bucket where it is another', async () => {
    await start({ region: 'eu-north-1' })
    await assert.rejects(
      names(),
      rejectsWith('OPTION_INVALID', /in the region eu-north-1.*for us-east-1.*Set region/),
    )
  })

  it('are retried after SlowDown, and reported when it does not end', async () => {
    await start()
    await driver.putContainer('nightly', {})
    const status = { kind: 'status', status: 503 } as const
    s3.faults.add({ fault: status, when: ({ method }) => method === 'PUT', times: 2 })
    await put('a', volume)
    s3.faults.add({ fault: status, when: ({ method }) => method === 'PUT', times: 99 })
    await assert.rejects(put('b', volume), rejectsWith('RATE_LIMITED', /SlowDown.*Lower the concurrency/))
  })

  it('say what to do, by the code of S3', async () => {
    await start()
    await driver.putContainer('nightly', {})
    const cases: readonly (readonly [string, number, BackupErrorCode, RegExp])[] = [
      ['AccessDenied', 403, 'FORBIDDEN', /Check the policies/],
      ['InvalidObjectState', 403, 'STORE_FAILED', /archive class/],
      ['QuotaExceeded', 403, 'QUOTA_EXCEEDED', /delete old backups/],
      ['EntityTooLarge', 400, 'OBJECT_TOO_LARGE', /smaller chunkSizeBytes/],
      ['NotImplemented', 501, 'STORE_FAILED', /conditionalPut/],
      ['XMinioStorageFull', 507, 'NO_SPACE', /must free space/],
      ['__proto__', 403, 'FORBIDDEN', /status 403/],
    ]
    for (const [code, status, expected, message] of cases) {
      s3.faults.clear()
      const fault = { kind: 'status', status, headers: { 'x-test-code': code } } as const
      s3.faults.add({ fault, when: ({ method }) => method === 'PUT', times: 99 })
      await assert.rejects(put('a', volume), rejectsWith(expected, message), code)
    }
  })

  it('never quote a key of the caller', async () => {
    await start()
    await driver.putContainer('nightly', {})
    const fault = {
      kind: 'status',
      status: 403,
      headers: { 'x-test-code': testKeys.secretAccessKey },
    } as const
    s3.faults.add({ fault, when: ({ method }) => method === 'PUT', times: 99 })
    await assert.rejects(put('a', volume), (error: unknown) => {
      assert.ok(error instanceof Error && !error.message.includes(testKeys.secretAccessKey))
      return true
    })
  })
})

describe('listings', () => {
  it('are read to their last page, with or without encoded keys', async () => {
    const expected = ['a b', 'a&b', 'a+b', 'a<b', 'ü', '😀']
    for (const encodesKeys of [true, false]) {
      await start({ listingLimit: 2, encodesKeys })
      await driver.putContainer('nightly', {})
      for (const name of expected) await put(name, volume)
      assert.deepEqual(
        await names(),
        expected.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      )
      await driver.close()
      await s3.close()
    }
  })

  it('are empty for a missing bucket, and rejected for a server that is no S3', async () => {
    await start()
    assert.deepEqual(await names(), [])
    s3.faults.add({ fault: { kind: 'garbage' }, when: () => true, times: 99 })
    await assert.rejects(names(), (error: unknown) => isBackupError(error))
  })

  it('are rejected where the server is no S3, though it answers 404', async () => {
    await start()
    const fault = { kind: 'status', status: 404, headers: { 'x-test-code': 'PageNotFound' } } as const
    s3.faults.add({ fault, times: 99 })
    await assert.rejects(names(), rejectsWith('STORE_FAILED', /Check the endpoint/))
  })

  it('do not go on for ever where a page names itself as the next', async () => {
    await start({ listingLimit: 1 })
    await driver.putContainer('nightly', {})
    await put('a', volume)
    await put('b', volume)
    const original = s3.buckets.get('nightly')?.objects
    assert.ok(original)
    s3.repeatPages = true
    await assert.rejects(names(), rejectsWith('LISTING_INVALID', /repeated|itself/))
  })
})

describe('many objects', () => {
  it('are deleted by one request with a Content-MD5, or one by one where the store has none', async () => {
    for (const deleteObjects of [true, false]) {
      await start({ deleteObjects })
      await driver.putContainer('nightly', {})
      const all = Array.from({ length: 20 }, (_one, index) => `object-${String(index)}`)
      for (const name of all) await put(name, Buffer.from(name))
      assert.deepEqual(await driver.deleteObjects('nightly', all, {}), [])
      assert.deepEqual(await names(), [])
      const deletes = s3.requests.filter(({ method }) => method === 'DELETE').length
      assert.equal(deletes, deleteObjects ? 0 : 20)
      await driver.close()
      await s3.close()
    }
  })
})

describe('with conditional PUTs', () => {
  it('an object of another writer is never replaced, and never removed by the loser', async () => {
    await start({}, { conditionalPut: true })
    await driver.putContainer('nightly', {})
    await put('a', volume)
    const writer = await driver.getObjectWriter('nightly', 'a', { extraMetadata, exclusive: true })
    await writer.write(Buffer.from('other'))
    await assert.rejects(writer.close(), rejectsWith('CONFLICT', /left unchanged/))
    await writer.abort()
    assert.deepEqual(await read('a'), volume)
  })

  it('a store that does not implement them says what to set', async () => {
    await start({ conditionalPut: false }, { conditionalPut: true })
    await assert.rejects(
      driver.backup(request, bufferVolume(volume)),
      rejectsWith('STORE_FAILED', /set conditionalPut to false/),
    )
  })
})
