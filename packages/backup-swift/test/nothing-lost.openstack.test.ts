import type { BackupRecord, BackupRequest, Compressor } from '@stowage/backup-core'
import { bufferVolume, fileVolume, isBackupError, streamVolume } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import { afterAll, describe, it } from 'vitest'
import { SwiftBackupDriver, type SwiftDriverOptions } from '../src/index.js'
import { demoToken } from './lab-account.js'
import { lab, passwordOf, plainRegion, theLab } from './lab.js'
import { patterned } from '../../../test-fixtures/patterned.js'

const before = patterned(200_000, 1)
const after = Buffer.concat([before.subarray(0, 100_000), patterned(100_000, 2)])
const sizes = { blockSizeBytes: 4096, chunkSizeBytes: 32_768 }
const containers: string[] = []

function newContainer(): string {
  const container = `lost-${randomUUID()}`
  containers.push(container)
  return container
}

function open(container: string, options: Partial<SwiftDriverOptions> = {}): SwiftBackupDriver {
  const credentials = passwordOf(theLab().users.demo)
  const all = { ...plainRegion(), credentials, container, search: 'container', ...sizes, ...options } as const
  return new SwiftBackupDriver(all)
}

/** What Swift itself says that a container holds. */
async function stored(container: string): Promise<{ readonly name: string; readonly bytes: number }[]> {
  const { token, storageUrl } = await demoToken()
  const answer = await fetch(`${storageUrl}/${container}?format=json`, { headers: { 'x-auth-token': token } })
  return answer.status === 200 ? ((await answer.json()) as { name: string; bytes: number }[]) : []
}

async function read(driver: SwiftBackupDriver, container: string, name: string): Promise<Uint8Array> {
  const reader = await driver.getObjectReader(container, name, { extraMetadata: null })
  try {
    return await reader.read()
  } finally {
    await reader.close()
  }
}

async function write(
  driver: SwiftBackupDriver,
  container: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const writer = await driver.getObjectWriter(container, name, { extraMetadata: null })
  await writer.write(bytes)
  await writer.close()
}

function rejectsWith(outcome: Promise<unknown>, ...codes: string[]): Promise<void> {
  return assert.rejects(outcome, (error) => {
    assert.ok(isBackupError(error) && codes.includes(error.code), String(error))
    return true
  })
}

async function restored(driver: SwiftBackupDriver, id: string): Promise<Uint8Array> {
  const target = bufferVolume()
  await driver.restore(id, target)
  return target.bytes
}

async function chain(driver: SwiftBackupDriver): Promise<{ full: BackupRecord; next: BackupRecord }> {
  const full = await driver.backup({ volumeId: 'v', backupId: 'full' }, before)
  const next = await driver.backup({ volumeId: 'v', backupId: 'next', parent: 'full' }, after)
  return { full, next }
}

describe.skipIf(!lab)('on a real Swift', { timeout: 120_000 }, () => {
  afterAll(async () => {
    const { token, storageUrl } = await demoToken()
    const headers = { 'x-auth-token': token }
    for (const container of containers) {
      for (const { name } of await stored(container)) {
        await fetch(`${storageUrl}/${container}/${name}`, { method: 'DELETE', headers })
      }
      await fetch(`${storageUrl}/${container}`, { method: 'DELETE', headers })
    }
  })

  it('a stream of no bytes, of too few, or of half the parent’s makes no backup (1)', async () => {
    const container = newContainer()
    await using driver = open(container)
    await rejectsWith(driver.backup({ volumeId: 'v' }, Readable.from([])), 'SOURCE_EMPTY')
    const short = streamVolume(Readable.from([before]), { sizeBytes: 300_000 })
    await rejectsWith(driver.backup({ volumeId: 'v' }, short), 'SOURCE_CHANGED')
    assert.deepEqual(await stored(container), [])
    await driver.backup({ volumeId: 'v', backupId: 'full' }, before)
    const names = await stored(container)
    const incremental = { volumeId: 'v', incremental: true }
    await rejectsWith(driver.backup(incremental, Readable.from([])), 'SOURCE_EMPTY')
    await rejectsWith(
      driver.backup(incremental, Readable.from([before.subarray(0, 90_000)])),
      'SOURCE_SHRANK',
    )
    assert.deepEqual(await stored(container), names)
  })

  it('of six concurrent backups of one id one is kept, whole (2, A4)', async () => {
    const container = newContainer()
    const drivers = [1, 2, 3, 4, 5, 6].map(() => open(container))
    const volumes = drivers.map((_driver, index) => patterned(150_000, 10 + index))
    const outcomes = await Promise.allSettled(
      drivers.map((driver, index) => driver.backup({ volumeId: 'v', backupId: 'same' }, volumes[index]!)),
    )
    const kept = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []))
    assert.ok(kept.length <= 1, `${kept.length} of six resolved`)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        await rejectsWith(Promise.reject(outcome.reason as Error), 'CONFLICT', 'BACKUP_EXISTS')
    }
    const [first] = drivers as [SwiftBackupDriver]
    for (const index of kept) {
      await first.verify('same', { level: 'full' })
      assert.ok(Buffer.from(await restored(first, 'same')).equals(volumes[index]!))
      assert.equal((await stored(container)).length, 5 + 2, 'five chunks and two JSON objects, and no claim')
    }
    if (kept.length === 0) assert.deepEqual(await stored(container), [])
    await Promise.all(drivers.map((driver) => driver.close()))
  })

  it('a compression that Cinder does not know is refused in strict mode, else named (4)', async () => {
    const brotli: Compressor = {
      name: 'brotli',
      aliases: [],
      cinderCompatible: false,
      compress: (bytes) => Promise.resolve(brotliCompressSync(bytes)),
      decompress: (bytes) => Promise.resolve(brotliDecompressSync(bytes)),
    }
    const container = newContainer()
    assert.throws(() => open(container, { compression: brotli, strict: 'cinder' }), /Cinder cannot restore/)
    const warnings: string[] = []
    await using driver = open(container, {
      compression: brotli,
      onWarning: ({ code }) => warnings.push(code),
    })
    await driver.backup({ volumeId: 'v', backupId: 'b' }, new Uint8Array(100_000).fill(7))
    assert.deepEqual(warnings, ['COMPRESSION_NOT_CINDER'])
    assert.deepEqual((await driver.listBackups())[0]?.compressions, ['brotli'])
  })

  it('a block size of 3 is refused, and stored bytes are what Swift counts (5)', async () => {
    const container = newContainer()
    assert.throws(() => open(container, { blockSizeBytes: 3, chunkSizeBytes: 30 }), /blockSizeBytes/)
    await using driver = open(container)
    const full = await driver.backup({ volumeId: 'v', backupId: 'full' }, before)
    const unchanged = await driver.backup({ volumeId: 'v', backupId: 'same', parent: 'full' }, before)
    for (const result of [full, unchanged]) {
      const objects = (await stored(container)).filter(({ name }) => name.startsWith(result.prefix))
      const sum = (of: typeof objects): number => of.reduce((total, { bytes }) => total + bytes, 0)
      const data = objects.filter(({ name }) => /-\d+$/.test(name))
      assert.equal(result.storedBytes, sum(objects))
      assert.equal(result.storedDataBytes, sum(data))
    }
    assert.equal(unchanged.storedDataBytes, 0)
    assert.ok(unchanged.storedBytes > 0)
  })

  it('an option that does not exist makes no backup (6)', async () => {
    const container = newContainer()
    await using driver = open(container)
    const request = { volumeId: 'v', Parent: 'full' } as BackupRequest
    await rejectsWith(driver.backup(request, before), 'OPTION_INVALID')
    assert.deepEqual(await stored(container), [])
  })

  it('an incremental in another container keeps its parent, or is refused (A1)', async () => {
    const [near, far] = [newContainer(), newContainer()]
    await using one = open(near, { search: 'container' })
    await using all = open(near, { search: 'account' })
    await one.backup({ volumeId: 'v', backupId: 'a1' }, before)
    const request = { volumeId: 'v', backupId: 'a1-far', parent: 'a1', container: far }
    await rejectsWith(one.backup(request, after), 'OPTION_INVALID')
    await all.backup(request, after)
    for (const driver of [one, all]) await rejectsWith(driver.deleteBackup('a1'), 'HAS_DEPENDENTS')
    assert.ok(Buffer.from(await restored(all, 'a1-far')).equals(after))
  })

  it('an incremental that cannot be read keeps its parent (A2)', async () => {
    const container = newContainer()
    await using driver = open(container)
    const { next } = await chain(driver)
    const name = `${next.prefix}_metadata`
    const whole = await read(driver, container, name)
    await write(driver, container, name, whole.subarray(0, 300))
    await rejectsWith(driver.deleteBackup('full'), 'DEPENDENTS_UNKNOWN')
    await write(driver, container, name, whole)
    assert.ok(Buffer.from(await restored(driver, 'next')).equals(after))
  })

  it('a delete of a parent and an incremental at once never leave the incremental alone (A3)', async () => {
    const container = newContainer()
    await using maker = open(container)
    await using deleter = open(container)
    const seen = new Set<string>()
    for (let round = 0; round < 6; round += 1) {
      const parent = `p${round}`
      const child = `c${round}`
      await maker.backup({ volumeId: 'v', backupId: parent }, before)
      const deleting = async (): Promise<unknown> => {
        await new Promise((resolve) => setTimeout(resolve, round * 200))
        return deleter.deleteBackup(parent)
      }
      const [made, deleted] = await Promise.allSettled([
        maker.backup({ volumeId: 'v', backupId: child, parent }, after),
        deleting(),
      ])
      assert.ok(made.status === 'rejected' || deleted.status === 'rejected', `round ${round}: both resolved`)
      if (made.status === 'fulfilled') {
        await maker.verify(child, { level: 'full' })
        assert.ok(Buffer.from(await restored(maker, child)).equals(after))
      }
      seen.add(`${made.status}, ${deleted.status}`)
    }
    assert.ok(seen.size > 0)
    // No marker and no claim is left.
    assert.deepEqual(
      (await stored(container)).filter(({ name }) => name.startsWith('stowage-')),
      [],
    )
  })

  it('a hash list that is cut or lost restores the whole volume, and is found by a verification (A6, A7)', async () => {
    const container = newContainer()
    await using driver = open(container)
    const { next } = await chain(driver)
    const name = `${next.prefix}_sha256file`
    const list = JSON.parse(Buffer.from(await read(driver, container, name)).toString()) as {
      sha256s: string[]
    }
    list.sha256s.splice(5)
    await write(driver, container, name, Buffer.from(JSON.stringify(list)))
    await rejectsWith(driver.verify('next', { level: 'full' }), 'VERIFY_FAILED')
    assert.ok(Buffer.from(await restored(driver, 'next')).equals(after))
    await driver.deleteObject(container, name, {})
    await rejectsWith(driver.verify('next', { level: 'full' }), 'VERIFY_FAILED')
    assert.ok(Buffer.from(await restored(driver, 'next')).equals(after))
  })

  it('two restores into one file leave one of the two volumes, and a stopped one leaves none (A8, A9)', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'stowage-swift-'))
    try {
      const container = newContainer()
      await using driver = open(container)
      await chain(driver)
      const path = join(directory, 'r.img')
      const outcomes = await Promise.allSettled(
        ['full', 'next'].map((id) => driver.restore(id, fileVolume(path))),
      )
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected')
          await rejectsWith(Promise.reject(outcome.reason as Error), 'TARGET_BUSY', 'TARGET_NOT_EMPTY')
      }
      assert.ok(outcomes.some(({ status }) => status === 'fulfilled'))
      const bytes = await readFile(path)
      assert.ok(bytes.equals(before) || bytes.equals(after), 'the file is a mixture')

      const controller = new AbortController()
      const onProgress = (): void => {
        controller.abort()
      }
      const stopped = join(directory, 'stopped.img')
      const options = { signal: controller.signal, onProgress }
      await rejectsWith(driver.restore('next', fileVolume(stopped), options), 'ABORTED')
      assert.deepEqual(await readdir(directory), ['r.img'])
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})
