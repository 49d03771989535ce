import { copyBackup } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { fault } from '../faulty/fault.js'
import { FaultyBackupDriver } from '../faulty/faulty-driver.js'
import { MemoryBackupDriver } from '../memory/memory-driver.js'
import { noise, patched } from './bytes.js'
import { VolumeBackups } from './engine.js'
import { sameBytes } from './expectations.js'
import { chunkSizeBytes } from './fixture.js'
import type { Area } from './suite.js'

const before = noise(4 * chunkSizeBytes + 300)
const after = patched(before, chunkSizeBytes - 100, noise(200, 2))

/** Copies to and from another store. */
export const copies: Area = (test) => {
  test('a chain that is copied to another store and back restores there and here', async (fixture) => {
    const volume = new VolumeBackups(fixture)
    const full = await volume.backup(before)
    const incremental = await volume.backup(after, { parent: full })
    await using memory = new MemoryBackupDriver()
    await copyBackup(await fixture.open(), memory, incremental)
    const there = new VolumeBackups(fixture, memory)
    assert.equal((await memory.listBackups()).length, 2)
    await fixture.driver.deleteBackup(full, { withDescendants: true })

    const container = fixture.defaultContainer
    const { backups } = await copyBackup(memory, await fixture.open(), incremental.id, { container })
    const [fullCopy, copy] = backups.map(({ record }) => record)
    assert.ok(fullCopy && copy)
    assert.equal(copy.prefix, incremental.prefix)
    sameBytes(await there.restore(copy), after, 'the bytes of the incremental')
    sameBytes(await there.restore(fullCopy), before, 'the bytes of its parent')
    await fixture.driver.verify(copy, { level: 'full' })
  })

  test(
    'a copy that failed is continued by the next one, which stores no object twice',
    async (fixture) => {
      await using memory = new MemoryBackupDriver({ chunkSizeBytes, blockSizeBytes: 1024 })
      const full = await memory.backup({ volumeId: fixture.newBackup().volumeId }, before)
      const container = fixture.defaultContainer
      const isData = /-\d{5}$/
      const failing = new FaultyBackupDriver(await fixture.openUnowned(), {
        concurrency: 1,
        faults: [fault.fail('writer.close', { object: isData, nth: 4 })],
      })
      try {
        await assert.rejects(copyBackup(memory, failing, full, { container }), { code: 'STORE_FAILED' })
      } finally {
        await failing.close()
      }
      const driver = new FaultyBackupDriver(await fixture.openUnowned())
      try {
        const { backups } = await copyBackup(memory, driver, full, { container })
        assert.equal(backups[0]?.objectsKept, 3)
        assert.equal(driver.count('writer.close', isData), full.objectCount - 3)
        sameBytes(await new VolumeBackups(fixture).restore(backups[0].record), before)
      } finally {
        await driver.close()
      }
    },
    'promptListing',
  )
}
