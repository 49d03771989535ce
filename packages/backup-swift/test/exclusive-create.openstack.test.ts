import { isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import { lab, passwordOf, plainRegion, theLab } from './lab.js'
import { patterned } from '../../../test-fixtures/patterned.js'

const seeds = [1, 2, 3, 4, 5, 6]

function driverOnLab(): SwiftBackupDriver {
  return new SwiftBackupDriver({ ...plainRegion(), credentials: passwordOf(theLab().users.demo) })
}

async function create(
  driver: SwiftBackupDriver,
  [container, name]: readonly [string, string],
  bytes: Uint8Array,
  claim: boolean,
): Promise<'created' | 'conflict'> {
  const options = { extraMetadata: null, exclusive: true, claim }
  const writer = await driver.getObjectWriter(container, name, options)
  try {
    await writer.write(bytes)
    await writer.close()
    return 'created'
  } catch (error) {
    await writer.abort()
    if (isBackupError(error, 'CONFLICT')) return 'conflict'
    throw error
  }
}

describe.skipIf(!lab)('an object that is created exclusively on a real Swift', () => {
  it('is that of exactly one of six drivers that claim it concurrently', { timeout: 120_000 }, async () => {
    const drivers = seeds.map(driverOnLab)
    const [first] = drivers as [SwiftBackupDriver]
    const container = `claims-${randomUUID()}`
    await first.putContainer(container, {})
    try {
      for (const sizeBytes of [0, 100, 60_000]) {
        for (const round of [1, 2, 3, 4]) {
          const place = [container, `o-${sizeBytes}-${round}`] as const
          const outcomes = await Promise.all(
            drivers.map((driver, index) => create(driver, place, patterned(sizeBytes, index), true)),
          )
          assert.equal(outcomes.filter((outcome) => outcome === 'created').length, 1, outcomes.join())
          const reader = await first.getObjectReader(...place, { extraMetadata: null })
          const expected = patterned(sizeBytes, outcomes.indexOf('created'))
          assert.ok(expected.equals(await reader.read()), 'the object is the one that was created')
        }
      }
    } finally {
      const names: string[] = []
      for await (const name of first.getContainerEntries(container, '', {})) names.push(name)
      await first.deleteObjects(container, names, {})
      await Promise.all(drivers.map((driver) => driver.close()))
    }
  })

  it('is never replaced once it exists, also not by the same bytes', async () => {
    await using driver = driverOnLab()
    const container = `claims-${randomUUID()}`
    await driver.putContainer(container, {})
    const place = [container, 'o'] as const
    assert.equal(await create(driver, place, patterned(1000, 1), false), 'created')
    assert.equal(await create(driver, place, patterned(1000, 1), false), 'conflict')
    assert.equal(await create(driver, place, patterned(1000, 2), true), 'conflict')
    const reader = await driver.getObjectReader(...place, { extraMetadata: null })
    assert.ok(patterned(1000, 1).equals(await reader.read()))
    await driver.deleteObject(...place, {})
    assert.equal(await create(driver, place, patterned(1000, 2), true), 'created')
    await driver.deleteObject(...place, {})
  })
})
