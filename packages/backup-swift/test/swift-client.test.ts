import { bufferVolume, isBackupError } from '@stowage/backup-core'
import type { BackupErrorCode } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, it } from 'vitest'
import type { SwiftDriverOptions } from '../src/index.js'
import { containerOfUrl } from '../src/get-backup-driver.js'
import { getBackupDriverForUrl, SwiftBackupDriver } from '../src/index.js'
import { containerPath, objectPath } from '../src/swift/names.js'
import type { TestCloudOptions } from '../../../test-fixtures/test-cloud/index.js'
import { TestCloud } from '../../../test-fixtures/test-cloud/index.js'
import { demoPassword, fast } from './support.js'
import { patterned } from '../../../test-fixtures/patterned.js'

let cloud: TestCloud
let driver: SwiftBackupDriver

async function start(cloudOptions: TestCloudOptions = {}, options: SwiftDriverOptions = {}): Promise<void> {
  cloud = await TestCloud.start(cloudOptions)
  driver = new SwiftBackupDriver({ ...fast, credentials: demoPassword(cloud), ...options })
}
beforeEach(async () => {
  await start({ listingLimit: 50 })
  await driver.putContainer('c', {})
})
afterEach(async () => {
  await driver.close()
  await cloud.close()
})

const options = { extraMetadata: null }
const is =
  (code: BackupErrorCode, message = /./) =>
  (error: unknown): boolean => {
    assert.ok(isBackupError(error, code), String(error))
    assert.match(error.message, message)
    return true
  }

async function put(name: string, bytes: Uint8Array, md5?: string): Promise<void> {
  const writer = await driver.getObjectWriter('c', name, options)
  await writer.writeFrom({
    lengthBytes: bytes.byteLength,
    ...(md5 === undefined ? {} : { md5: async () => md5 }),
    async *stream() {
      yield bytes
    },
  })
  await writer.close()
}

async function list(prefix: string): Promise<string[]> {
  const names: string[] = []
  for await (const name of driver.getContainerEntries('c', prefix, {})) names.push(name)
  return names
}

describe('listings', () => {
  it('are read to their last page, in the order of UTF-8, whatever Unicode the names have', async () => {
    const names = Array.from({ length: 180 }, (_, n) => `p/${'aé\u{1f4be}\uff5e'.repeat(n % 3)}${n} +&?#%\n`)
    for (const name of names) cloud.store.put(cloud.demo.get('c')!, name, Buffer.alloc(1))
    cloud.store.put(cloud.demo.get('c')!, 'other', Buffer.alloc(1))
    const found = await list('p/')
    assert.deepEqual([...found].sort(), [...names].sort())
    assert.ok(cloud.requests.filter(({ target }) => target.includes('marker=')).length >= 4)
  })

  it('that go in circles, or hold names that were not asked for, are LISTING_INVALID', async () => {
    for (let n = 0; n < 120; n += 1) cloud.store.put(cloud.demo.get('c')!, `p${n}`, Buffer.alloc(1))
    cloud.faults.add({ fault: { kind: 'repeated-page' }, when: ({ target }) => target.includes('marker=') })
    await assert.rejects(list('p'), is('LISTING_INVALID', /repeated or not in order/))
    cloud.faults.add({ fault: { kind: 'garbage' } })
    await assert.rejects(list('p'), is('LISTING_INVALID', /not valid JSON/))
  })

  it('name the containers with backups in them, and the driver’s own', async () => {
    await driver.putContainer('photos', {})
    cloud.store.put(cloud.demo.get('photos')!, 'holiday.jpg', Buffer.alloc(1))
    cloud.store.put(cloud.demo.get('c')!, 'volume_1/x_metadata', Buffer.alloc(1))
    const names: string[] = []
    for await (const name of driver.getContainers({})) names.push(name)
    assert.deepEqual(names, ['volumebackups', 'c'])
  })
})

describe('objects', () => {
  it('are sent with their MD5 ahead, which Swift holds against what it got', async () => {
    const bytes = patterned(3_000_000, 1)
    await put('o', bytes)
    const sent = cloud.requests.find(({ method, target }) => method === 'PUT' && target.endsWith('/o'))
    assert.equal(sent?.headers.etag, createHash('md5').update(bytes).digest('hex'))
    await assert.rejects(put('o', bytes, '0'.repeat(32)), is('OBJECT_CORRUPT', /422/))
    assert.ok(cloud.demo.get('c')!.objects.get('o')!.bytes.equals(bytes))
  })

  it('are read into memory that is given, where they fit', async () => {
    await put('o', patterned(1000, 2))
    const reader = await driver.getObjectReader('c', 'o', options)
    const buffer = new Uint8Array(2000)
    const bytes = await reader.read({ buffer })
    assert.equal(bytes.buffer, buffer.buffer)
    assert.ok(patterned(1000, 2).equals(bytes))
  })

  it('whose bytes the caller checks are not summed again', async () => {
    const bytes = patterned(5000, 4)
    await put('o', bytes)
    const read = async (checkedByCaller: boolean): Promise<Uint8Array> =>
      (await driver.getObjectReader('c', 'o', options)).read({ checkedByCaller })
    cloud.faults.add({
      fault: { kind: 'lying-etag' },
      when: ({ method }) => method === 'GET',
      times: Infinity,
    })
    assert.deepEqual(Buffer.from(await read(true)), Buffer.from(bytes))
    await assert.rejects(read(false), is('OBJECT_CORRUPT'))
  })

  it('of any size stream in pieces, and the MD5 of all of them is checked', async () => {
    const bytes = patterned(40_000_000, 3)
    const object = cloud.store.put(cloud.demo.get('c')!, 'big', bytes)
    const reader = await driver.getObjectReader('c', 'big', options)
    const pieces: Uint8Array[] = []
    for await (const piece of reader.stream()) pieces.push(Uint8Array.from(piece))
    assert.ok(bytes.equals(Buffer.concat(pieces)))
    assert.equal(pieces.length, 3)
    const rotten = Buffer.from(bytes)
    rotten[30_000_000] = 1 + rotten[30_000_000]!
    cloud.demo.get('c')!.objects.set('big', { ...object, bytes: rotten })
    const read = async (): Promise<void> => {
      for await (const piece of reader.stream()) assert.ok(piece.byteLength > 0)
    }
    await assert.rejects(read, is('OBJECT_CORRUPT', /MD5/))
  })

  it('that are replaced while they stream are OBJECT_CORRUPT, and not a mixture', async () => {
    cloud.store.put(cloud.demo.get('c')!, 'big', patterned(40_000_000, 4))
    const reader = await driver.getObjectReader('c', 'big', options)
    const read = async (): Promise<void> => {
      for await (const piece of reader.stream()) {
        assert.ok(piece.byteLength > 0)
        cloud.store.put(cloud.demo.get('c')!, 'big', patterned(40_000_000, 5))
      }
    }
    await assert.rejects(read, is('OBJECT_CORRUPT', /replaced/))
  })

  it('give exactly the part that is asked for', async () => {
    const bytes = patterned(10_000, 6)
    await put('o', bytes)
    const reader = await driver.getObjectReader('c', 'o', options)
    await fc.assert(
      fc.asyncProperty(fc.nat(12_000), fc.nat(5000), async (offset, length) => {
        const part = await reader.readRange(offset, length)
        assert.ok(bytes.subarray(offset, offset + length).equals(part))
      }),
      { numRuns: 50 },
    )
  })

  it('whose server ignores ranges fail, and are not taken for the part', async () => {
    await put('o', patterned(10_000, 7))
    const reader = await driver.getObjectReader('c', 'o', options)
    cloud.faults.add({ fault: { kind: 'ignored-range' }, times: Infinity })
    await assert.rejects(reader.readRange(10, 10), is('STORE_FAILED', /different range/))
  })

  it('that are larger than the cluster takes are refused before the first byte, and so is such a chunk size', async () => {
    await driver.close()
    await cloud.close()
    await start({ maxFileSizeBytes: 100_000 }, { chunkSizeBytes: 32_768 })
    await driver.putContainer('c', {})
    await assert.rejects(put('o', patterned(100_001, 8)), is('OBJECT_TOO_LARGE', /max_file_size/))
    await using large = new SwiftBackupDriver({
      ...fast,
      credentials: demoPassword(cloud),
      chunkSizeBytes: 131_072,
    })
    const backup = large.backup({ volumeId: 'v' }, bufferVolume(patterned(200_000, 9)))
    await assert.rejects(backup, is('OPTION_INVALID', /backup_swift_object_size.*100000/))
    assert.equal(
      cloud.requests.filter(({ method, target }) => method === 'PUT' && target.split('/').length > 4).length,
      0,
    )
  })

  it('past the quota are QUOTA_EXCEEDED, and the backup leaves nothing', async () => {
    await driver.close()
    await cloud.close()
    await start({ quotaBytes: 150_000 }, { chunkSizeBytes: 32_768 })
    const backup = driver.backup({ volumeId: 'v', container: 'c' }, bufferVolume(patterned(200_000, 10)))
    await assert.rejects(backup, is('QUOTA_EXCEEDED', /Upload exceeds quota/))
    assert.deepEqual([...cloud.demo.get('c')!.objects.keys()], [])
  })

  it('that a writer gave up on are removed, where they may have been stored', async () => {
    for (const kind of ['reset-after', 'stall'] as const) {
      const writer = await driver.getObjectWriter('c', 'o', options)
      await writer.write(patterned(1000, 11))
      cloud.faults.add({ fault: { kind }, when: ({ method }) => method === 'PUT', times: 4 })
      await assert.rejects(writer.close(), is('STORE_UNAVAILABLE'))
      await writer.abort()
      assert.equal(cloud.demo.get('c')!.objects.has('o'), false)
    }
  })
})

describe('deleting many objects', () => {
  const names = Array.from({ length: 30 }, (_, n) => `ü %41 ${n}/?#`)
  it('takes one request where the cluster can, and hits no other names', async () => {
    for (const name of [...names, 'ü A 1/?#']) cloud.store.put(cloud.demo.get('c')!, name, Buffer.alloc(1))
    assert.deepEqual(await driver.deleteObjects('c', names, {}), [])
    assert.deepEqual([...cloud.demo.get('c')!.objects.keys()], ['ü A 1/?#'])
    assert.equal(cloud.requests.filter(({ method }) => method === 'DELETE').length, 0)
  })

  it('goes one by one where the cluster cannot, or says so only when asked', async () => {
    for (const cannot of ['info', 'request'] as const) {
      await driver.close()
      await cloud.close()
      await start({ bulkDelete: cannot === 'request' })
      await driver.putContainer('c', {})
      for (const name of names) cloud.store.put(cloud.demo.get('c')!, name, Buffer.alloc(1))
      cloud.faults.add({
        fault: { kind: 'status', status: 404 },
        when: ({ method }) => method === 'POST' && cannot === 'request',
        times: 2,
      })
      assert.deepEqual(await driver.deleteObjects('c', names, {}), [])
      assert.equal(cloud.demo.get('c')!.objects.size, 0)
    }
  })
})

describe('names', () => {
  it('go into a path and come out of it whole, whatever they hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), (name) => {
        fc.pre(!name.includes('\0') && Buffer.byteLength(name) <= 1024)
        const path = objectPath('c', name)
        assert.ok(path.startsWith('/c/'))
        assert.equal(path.slice(3).split('/').map(decodeURIComponent).join('/'), name)
        assert.ok(!/[?#\s]/.test(path))
      }),
    )
  })

  for (const name of ['', 'a/b', '.', '..', 'a\0', '\ud800', 'x'.repeat(257)]) {
    it(`of containers are refused: ${JSON.stringify(name.slice(0, 10))}`, () => {
      assert.throws(() => containerPath(name), is('OPTION_INVALID'))
    })
  }

  it('of stores are swift:// URLs', async () => {
    assert.equal(containerOfUrl('swift://Nightly'), 'Nightly')
    assert.equal(containerOfUrl('swift://n%C3%A4chtlich/'), 'nächtlich')
    assert.equal(containerOfUrl('swift:'), undefined)
    for (const url of ['swift://a/b', 'swift://%zz', 'posix:/x', 'swift://a?b']) {
      assert.throws(() => containerOfUrl(url), is('OPTION_INVALID'))
    }
    await using named = await getBackupDriverForUrl('swift://c', {
      ...fast,
      credentials: demoPassword(cloud),
    })
    const containers: string[] = []
    for await (const name of named.getContainers({})) containers.push(name)
    assert.deepEqual(containers, ['c'])
  })
})

describe('options', () => {
  for (const [name, given, message] of [
    ['two sizes', { chunkSizeBytes: 65_536, backupSwiftObjectSize: 131_072 }, /are the same option/],
    ['a size that is a text', { backupSwiftObjectSize: '65536' as unknown as number }, /whole number/],
    ['an empty container', { container: '' }, /container.*not empty/],
    ['a URL without http', { backupSwiftUrl: 'swift.example/v1/AUTH_' }, /backup_swift_url/],
    [
      'a word without a compressor',
      { backupCompressionAlgorithm: 'bzip2' },
      /install @stowage\/compression-bz2/,
    ],
    ['a time-out of nothing', { bodyTimeoutSeconds: 0 }, /bodyTimeoutSeconds/],
    ['a key without its certificate', { clientKeyFile: 'x' }, /requires both/],
  ] as const) {
    it(`with ${name} are OPTION_INVALID`, () => {
      assert.throws(
        () => new SwiftBackupDriver({ context: { authToken: 't' }, ...given }),
        is('OPTION_INVALID', message),
      )
    })
  }

  it('have Cinder’s defaults', async () => {
    assert.equal(driver.chunkSizeBytes, 52_428_800)
    assert.equal(driver.blockSizeBytes, 32_768)
    assert.equal(driver.defaultContainer, 'volumebackups')
    assert.equal(driver.serviceName, 'cinder.backup.drivers.swift.SwiftBackupDriver')
    const backup = { id: 'b', volumeId: 'v', parentId: null, container: null, name: null, description: null }
    const prefix = driver.generateObjectNamePrefix({
      ...backup,
      createdAt: new Date('2026-01-02T03:04:05.678Z'),
    })
    assert.equal(prefix, 'volume_v/20260102030405/az_nova_backup_b')
  })
})
