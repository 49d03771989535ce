import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { noise } from './bytes.js'
import { VolumeBackups } from './engine.js'
import { rejectsWith, sameBytes } from './expectations.js'
import { blockSizeBytes, chunkSizeBytes } from './fixture.js'
import { MemoryTarget } from './memory-target.js'
import type { Area } from './suite.js'
import { zlibCompressor } from './zlib-compressor.js'

const sizesBytes = [
  0,
  1,
  blockSizeBytes - 1,
  blockSizeBytes,
  chunkSizeBytes,
  chunkSizeBytes + 1,
  10 * chunkSizeBytes + 100,
]

/** Full backups and their restores. */
export const backups: Area = (test) => {
  for (const sizeBytes of sizesBytes) {
    test(`a volume of ${sizeBytes} bytes is restored as it was`, async (fixture) => {
      const volume = new VolumeBackups(fixture)
      const record = await volume.backup(noise(sizeBytes), { allowEmpty: sizeBytes === 0 })
      assert.equal(record.sizeBytes, sizeBytes)
      sameBytes(await volume.restore(record), noise(sizeBytes))
    })
  }

  test('a volume of zeros is restored as zeros, also over something else', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const record = await volume.backup(new Uint8Array(20_000))
    sameBytes(await volume.restore(record), new Uint8Array(20_000))
    const target = new MemoryTarget(noise(20_000))
    await fixture.driver.restore(record, target, { overwrite: true })
    sameBytes(target.bytes, new Uint8Array(20_000))
  })

  test('a stream whose size is not known is backed up to its end', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const bytes = noise(3 * chunkSizeBytes + 77)
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.byteLength; at += 1000) {
        await Promise.resolve()
        yield bytes.slice(at, at + 1000)
      }
    }
    sameBytes(await volume.restore(await volume.backup(pieces())), bytes)
  })

  test('a compressed backup takes less of the store, and is restored as it was', async (fixture) => {
    const driver = await fixture.open({ compression: zlibCompressor })
    const volume = new VolumeBackups(fixture, driver)
    const bytes = Buffer.alloc(5 * chunkSizeBytes, 'stowage ')
    const record = await volume.backup(bytes)
    const place = await volume.placeOf(record)
    assert.ok((await place.get(place.chunk(1))).byteLength < chunkSizeBytes)
    const target = new MemoryTarget()
    await driver.restore(record, target)
    sameBytes(target.bytes, bytes)
  })

  test('a backup has the objects that its format names, and no other', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const record = await volume.backup(noise(2 * chunkSizeBytes + 1))
    const place = await volume.placeOf(record)
    const names = [1, 2, 3]
      .map((n) => place.chunk(n))
      .concat([`${place.prefix}_metadata`, `${place.prefix}_sha256file`])
    assert.equal(record.objectCount, 3)
    for (const name of names) assert.ok(await place.exists(name), `${name} is missing`)
    const listed = await place.list()
    assert.deepEqual(
      listed.filter((name) => !names.includes(name)),
      [],
    )
  })

  test('names and descriptions keep every character', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const text = 'Größe 日本 \u{1f4be} "quoted" \\ \u007f \n'
    const record = await volume.backup(noise(10), { name: text, description: text })
    const found = await (await fixture.open()).getChain(record)
    assert.deepEqual([found[0]?.name, found[0]?.description], [text, text])
  })

  test('a backup that names no container goes into the container of the options', async (fixture) => {
    const { driver, defaultContainer } = fixture
    const record = await driver.backup({ volumeId: randomUUID() }, noise(10))
    const asked = fixture.newBackup({ id: record.id, volumeId: record.volumeId, container: defaultContainer })
    assert.equal(record.container, driver.updateContainerName(asked, defaultContainer) ?? defaultContainer)
  })

  test('concurrent backups of two volumes do not disturb each other', async (fixture) => {
    const one = new VolumeBackups(fixture)
    const two = new VolumeBackups(fixture)
    const [first, second] = await Promise.all([one.backup(noise(30_000, 1)), two.backup(noise(30_000, 2))])
    sameBytes(await one.restore(first), noise(30_000, 1))
    sameBytes(await two.restore(second), noise(30_000, 2))
  })

  test('a backup of an existing id is refused with BACKUP_EXISTS, and the first one stays whole', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const backupId = randomUUID()
    const record = await volume.backup(noise(10_000), { backupId })
    await rejectsWith('BACKUP_EXISTS', volume.backup(noise(10_000, 2), { backupId }))
    sameBytes(await volume.restore(record), noise(10_000))
  })
}
