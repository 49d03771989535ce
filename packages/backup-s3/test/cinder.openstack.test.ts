import { bufferVolume, fileVolume, type Compressor } from '@stowage/backup-core'
import { SwiftBackupDriver } from '@stowage/backup-swift'
import { bz2 } from '@stowage/compression-bz2'
import { zlib } from '@stowage/compression-zlib'
import { zstd } from '@stowage/compression-zstd'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { CinderPeer } from '../../../test-fixtures/cinder/cinder-peer.js'
import { withoutOwnKeys } from '../../../test-fixtures/cinder/metadata-text.js'
import { patterned } from '../../../test-fixtures/patterned.js'
import { S3BackupDriver } from '../src/index.js'
import { lab, theLab, v1Endpoint, v1Keys, v1Store } from './lab.js'
import { emptyBuckets } from './support.js'

const chunkSizeBytes = 4 * 1024 * 1024
const sizeBytes = 10 * 1024 * 1024
const second = '2026-01-02T03:04:05'

const algorithms: readonly (readonly [string, Compressor | undefined])[] = [
  ['none', undefined],
  ['zlib', zlib()],
  ['gzip', zlib({ algorithm: 'gzip' })],
  ['bz2', bz2()],
  ['bzip2', bz2({ algorithm: 'bzip2' })],
  ['zstd', zstd()],
]

describe.skipIf(!lab)('Cinder’s own S3 driver on the same s3api', () => {
  let directory: string
  let peer: CinderPeer
  let before: Buffer
  let after: Buffer

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-cinder-s3-'))
    const { accessKeyId, secretAccessKey } = v1Keys()
    peer = await CinderPeer.start(join(directory, 'state'), {
      ...{ driver: 's3', endpoint: v1Endpoint() },
      ...{ accessKeyId, secretAccessKey },
    })
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
    await emptyBuckets(v1Store(), /^(?:theirs|ours|same|both)-/)
    await rm(directory, { recursive: true, force: true })
  })

  const open = (container: string, compression?: Compressor): S3BackupDriver =>
    new S3BackupDriver({
      ...v1Store(),
      ...{ container, chunkSizeBytes, joinGapBytes: 0, search: 'container' },
      clock: () => new Date(`${second}Z`),
      ...(compression ? { compression } : {}),
    })

  const contents = async (driver: S3BackupDriver, container: string): Promise<Map<string, Buffer>> => {
    const found = new Map<string, Buffer>()
    for await (const name of driver.getContainerEntries(container, '', {})) {
      const reader = await driver.getObjectReader(container, name, { extraMetadata: null })
      found.set(name, Buffer.from(await reader.read()))
    }
    return found
  }

  for (const [word, compression] of algorithms) {
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
        await using driver = open(container, compression ?? zlib())
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
        await using driver = open(container, compression)
        const full = await driver.backup({ volumeId }, fileVolume(join(directory, 'before.img')))
        const next = await driver.backup({ volumeId, parent: full }, fileVolume(join(directory, 'after.img')))
        for (const record of [full, next]) {
          const { id: backupId, parentId, prefix } = record
          await peer.adopt({ backupId, volumeId, container, parentId, chunkSizeBytes }, prefix)
        }
        const restored = join(directory, `${randomUUID()}.img`)
        await writeFile(restored, '')
        await peer.restore(next.id, restored)
        assert.ok(after.equals((await readFile(restored)).subarray(0, sizeBytes)))
      },
    )
  }

  it(
    'stores the names and bytes that Cinder stores, but for the own keys of _metadata',
    { timeout: 120_000 },
    async () => {
      const volumeId = randomUUID()
      const [fullId, nextId] = [randomUUID(), randomUUID()]
      const theirs = `same-theirs-${randomUUID()}`
      const common = { volumeId, container: theirs, compression: 'none', chunkSizeBytes, now: second }
      await peer.backup({ ...common, backupId: fullId }, join(directory, 'before.img'))
      await peer.backup({ ...common, backupId: nextId, parentId: fullId }, join(directory, 'after.img'))
      const ours = `same-ours-${randomUUID()}`
      await using driver = open(ours)
      const full = await driver.backup(
        { volumeId, backupId: fullId },
        fileVolume(join(directory, 'before.img')),
      )
      await driver.backup(
        { volumeId, backupId: nextId, parent: full },
        fileVolume(join(directory, 'after.img')),
      )
      const [expected, found] = [await contents(driver, theirs), await contents(driver, ours)]
      assert.deepEqual([...found.keys()], [...expected.keys()])
      for (const [name, bytes] of expected) {
        const own = found.get(name)
        if (!name.endsWith('_metadata')) assert.ok(own && bytes.equals(own), name)
        else assert.equal(withoutOwnKeys(own), bytes.toString('latin1'))
      }
    },
  )

  it('what was written through Swift is read through S3, and the reverse', { timeout: 60_000 }, async () => {
    const { user, key } = theLab().v1Users[0] ?? { user: '', key: '' }
    const container = `both-${randomUUID()}`
    const common = { container, chunkSizeBytes, compression: zlib() }
    await using s3 = new S3BackupDriver({ ...v1Store(), ...common })
    await using swift = new SwiftBackupDriver({
      ...common,
      credentials: { method: 'v1', authUrl: theLab().v1AuthUrl, user, key },
      env: {},
    })
    const full = await swift.backup({ volumeId: randomUUID() }, bufferVolume(before))
    const next = await s3.backup({ volumeId: full.volumeId, parent: full }, bufferVolume(after))
    for (const driver of [s3, swift]) {
      await driver.verify(next.id, { level: 'full' })
      const target = bufferVolume()
      await driver.restore(next.id, target)
      assert.ok(after.equals(target.bytes))
    }
  })
})
