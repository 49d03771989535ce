import { bufferVolume, fileVolume } from '@stowage/backup-core'
import type { Compressor } from '@stowage/backup-core'
import { bz2 } from '@stowage/compression-bz2'
import { zlib } from '@stowage/compression-zlib'
import { zstd } from '@stowage/compression-zstd'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { CinderPeer } from '../../../test-fixtures/cinder/cinder-peer.js'
import type { SwiftBackupDriver } from '../src/index.js'
import { getBackupDriver } from '../src/index.js'
import { demoToken } from './lab-account.js'
import { lab, passwordOf, plainRegion, theLab } from './lab.js'
import { patterned } from '../../../test-fixtures/patterned.js'

const run = promisify(execFile)
const gib = 1024 ** 3
const chunkSizeBytes = 4 * 1024 * 1024
const sizeBytes = 10 * 1024 * 1024

/** The words, and who compresses them here. */
const words: readonly (readonly [string, Compressor | undefined])[] = [
  ['none', undefined],
  ['zlib', zlib()],
  ['gzip', zlib({ algorithm: 'gzip' })],
  ['bz2', bz2()],
  ['bzip2', bz2({ algorithm: 'bzip2' })],
  ['zstd', zstd()],
]

describe.skipIf(!lab)('Cinder’s own Swift driver on the same Swift', () => {
  let directory: string
  let peer: CinderPeer
  let before: Buffer
  let after: Buffer

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-cinder-'))
    const { token, storageUrl } = await demoToken()
    peer = await CinderPeer.start(join(directory, 'state'), { driver: 'swift', swiftUrl: storageUrl, token })
    // Half noise, half text: some chunks shrink and some do not.
    before = Buffer.concat([
      patterned(sizeBytes / 2, 5),
      Buffer.alloc(sizeBytes / 2, 'all work and no play '),
    ])
    after = Buffer.from(before)
    patterned(300_000, 6).copy(after, 1_000_000)
    patterned(50_000, 7).copy(after, 9_000_000)
    await writeFile(join(directory, 'before.img'), before)
    await writeFile(join(directory, 'after.img'), after)
  })
  afterAll(async () => {
    await peer[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  const open = (container: string, compression: Compressor | undefined): Promise<SwiftBackupDriver> =>
    getBackupDriver({
      ...plainRegion(),
      credentials: passwordOf(theLab().users.demo),
      container,
      chunkSizeBytes,
      ...(compression ? { compression } : {}),
    })

  for (const [word, compression] of words) {
    it(
      `what Cinder wrote with ${word}, full and incremental, restores here`,
      { timeout: 120_000 },
      async () => {
        const container = `theirs-${word}-${randomUUID()}`
        const volumeId = randomUUID()
        const [fullId, nextId] = [randomUUID(), randomUUID()]
        const common = { volumeId, container, compression: word, chunkSizeBytes }
        await peer.backup({ ...common, backupId: fullId }, join(directory, 'before.img'))
        await peer.backup({ ...common, backupId: nextId, parentId: fullId }, join(directory, 'after.img'))
        await using driver = await open(container, compression ?? zlib())
        await driver.verify(nextId, { level: 'full' })
        for (const [id, expected] of [
          [fullId, before],
          [nextId, after],
        ] as const) {
          const target = bufferVolume()
          await driver.restore(id, target)
          assert.ok(expected.equals(target.bytes))
        }
        await driver.deleteBackup(fullId, { withDescendants: true })
      },
    )

    it(
      `what Stowage wrote with ${word}, full and incremental, restores in Cinder`,
      { timeout: 120_000 },
      async () => {
        const container = `ours-${word}-${randomUUID()}`
        const volumeId = randomUUID()
        await using driver = await open(container, compression)
        const full = await driver.backup({ volumeId }, fileVolume(join(directory, 'before.img')))
        const next = await driver.backup({ volumeId, parent: full }, fileVolume(join(directory, 'after.img')))
        for (const record of [full, next]) {
          const { id: backupId, parentId, prefix } = record
          await peer.adopt({ backupId, volumeId, container, parentId, chunkSizeBytes }, prefix)
        }
        const restored = join(directory, `${randomUUID()}.img`)
        await writeFile(restored, '')
        await peer.restore(next.id, restored)
        const bytes = (await readFile(restored)).subarray(0, sizeBytes)
        assert.ok(after.equals(bytes))
        assert.ok((await readFile(restored)).byteLength <= gib)
      },
    )
  }

  it(
    'zeros that Stowage stored with zlib in a backup without compression restore in Cinder',
    { timeout: 120_000 },
    async () => {
      const container = `zeros-${randomUUID()}`
      const volumeId = randomUUID()
      const volume = Buffer.concat([Buffer.alloc(chunkSizeBytes), before.subarray(0, chunkSizeBytes)])
      const later = Buffer.concat([volume, Buffer.alloc(chunkSizeBytes)])
      later.fill(0, chunkSizeBytes, chunkSizeBytes + 2 ** 20)
      await using driver = await getBackupDriver({
        ...plainRegion(),
        ...{ credentials: passwordOf(theLab().users.demo), container, chunkSizeBytes },
        decompressors: [zlib()],
      })
      const full = await driver.backup({ volumeId }, bufferVolume(volume))
      const next = await driver.backup({ volumeId, parent: full }, bufferVolume(later))
      assert.ok(full.storedDataBytes < chunkSizeBytes + 10_000)
      assert.ok(next.storedDataBytes < 20_000)
      const restored = join(directory, `${randomUUID()}.img`)
      await writeFile(restored, '')
      for (const [record, expected] of [
        [full, volume],
        [next, later],
      ] as const) {
        const { id: backupId, parentId, prefix } = record
        await peer.adopt({ backupId, volumeId, container, parentId, chunkSizeBytes }, prefix)
        await peer.restore(backupId, restored)
        assert.ok(expected.equals((await readFile(restored)).subarray(0, expected.length)))
      }
    },
  )

  it('the swift command sees the objects that Stowage wrote, their sizes, bytes and ETags', async () => {
    const container = `seen-${randomUUID()}`
    await using driver = await open(container, undefined)
    const record = await driver.backup({ volumeId: randomUUID() }, bufferVolume(before))
    const { token, storageUrl } = await demoToken()
    const swift = async (...args: string[]): Promise<string> =>
      (await run('swift', ['--os-storage-url', storageUrl, '--os-auth-token', token, ...args])).stdout
    const listed = (await swift('list', container)).trim().split('\n')
    const chunks = ['00001', '00002', '00003'].map((number) => `${record.prefix}-${number}`)
    assert.deepEqual(listed, [...chunks, `${record.prefix}_metadata`, `${record.prefix}_sha256file`])
    const stat = await swift('stat', container, chunks[1]!)
    const chunk = before.subarray(chunkSizeBytes, 2 * chunkSizeBytes)
    assert.match(stat, new RegExp(`Content Length: ${chunkSizeBytes}\\s`))
    assert.match(stat, new RegExp(`ETag: ${createHash('md5').update(chunk).digest('hex')}\\s`))
    const file = join(directory, 'downloaded')
    await swift('download', container, chunks[1]!, '--output', file)
    assert.ok(chunk.equals(await readFile(file)))
  })

  it('a container is created with the storage policy that was asked for, and never where that was forbidden', async () => {
    const container = `policy-${randomUUID()}`
    const { token, storageUrl } = await demoToken()
    const base = { ...plainRegion(), credentials: passwordOf(theLab().users.demo), container }
    await using forbidden = await getBackupDriver({ ...base, backupCreateContainers: false })
    await assert.rejects(
      forbidden.backup({ volumeId: randomUUID() }, bufferVolume(before)),
      /backup_create_containers/,
    )
    await using driver = await getBackupDriver({ ...base, backupSwiftCreateStoragePolicy: 'silver' })
    await driver.putContainer(container, {})
    const head = await fetch(`${storageUrl}/${container}`, {
      method: 'HEAD',
      headers: { 'x-auth-token': token },
    })
    assert.equal(head.headers.get('x-storage-policy'), 'silver')
    await using wrong = await getBackupDriver({
      ...base,
      container: `${container}-2`,
      backupSwiftCreateStoragePolicy: 'tin',
    })
    await assert.rejects(wrong.putContainer(`${container}-2`, {}), /no storage policy tin/)
  })
})
