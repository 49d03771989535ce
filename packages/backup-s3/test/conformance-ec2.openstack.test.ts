import { bufferVolume } from '@stowage/backup-core'
import { driverConformance } from '@stowage/backup-testkit'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'vitest'
import { patterned } from '../../../test-fixtures/patterned.js'
import { S3BackupDriver } from '../src/index.js'
import { emptyBuckets, s3Capabilities } from './support.js'
import { ec2Store, lab } from './lab.js'

describe.skipIf(!lab)('with EC2 credentials of Keystone', () => {
  it('a chain is stored, verified, restored and deleted', async () => {
    const store = await ec2Store()
    const container = `ec2-${randomUUID()}`
    await using driver = new S3BackupDriver({
      ...store,
      container,
      search: 'container',
      chunkSizeBytes: 2 ** 20,
    })
    const [before, after] = [patterned(5_000_000, 1), patterned(5_000_000, 1)]
    patterned(100_000, 2).copy(after, 3_000_000)
    await driver.checkForSetupError()
    const full = await driver.backup({ volumeId: randomUUID() }, bufferVolume(before))
    const next = await driver.backup({ volumeId: full.volumeId, parent: full }, bufferVolume(after))
    await driver.verify(next.id, { level: 'full' })
    const target = bufferVolume()
    await driver.restore(next.id, target)
    assert.ok(after.equals(target.bytes))
    await driver.deleteBackup(full.id, { withDescendants: true })
    assert.deepEqual(await driver.listBackups(), [])
    await emptyBuckets(store, /^ec2-/)
  })
})

// The same requests as with the keys of auth v1, but for their signatures: four minutes that only a person spends.
describe.skipIf(!lab || process.env['STOWAGE_ALL_KITS'] !== '1')('on the s3api of a real Swift', () => {
  driverConformance({
    describe,
    it,
    label: 'S3BackupDriver with EC2 credentials of Keystone',
    capabilities: s3Capabilities,
    longListing: 200,
    create: async () => {
      const store = await ec2Store()
      return {
        open: (options) => new S3BackupDriver({ ...options, ...store }),
        destroy: () => emptyBuckets(store, /^(?:conformance-|volumebackups$)/),
      }
    },
  })
})
