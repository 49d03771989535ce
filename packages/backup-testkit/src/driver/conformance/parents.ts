import type { BackupRecord, DeleteResult } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { noise, patched } from './bytes.js'
import { VolumeBackups } from './engine.js'
import { sameBytes } from './expectations.js'
import type { Fixture } from './fixture.js'
import {
  assertRejectedWith,
  atEachCall,
  interruptedOperations,
  outcomeOf,
  type Outcome,
} from './interleave.js'
import type { Area } from './suite.js'

const before = noise(5000)
const after = patched(before, 100, noise(2000, 2))

/** A delete of a parent while an incremental on it is made, and deletes that are killed. */
export const parents: Area = (test) => {
  for (const operation of interruptedOperations) {
    test(
      `an incremental, made between any two calls of a delete of its parent before ${operation}, is never without it`,
      async (fixture) => {
        await atEachCall(fixture, operation, async ({ what, open }) => {
          const { volume, parent } = await parentOf(fixture)
          let made: Outcome<BackupRecord> | undefined
          const driver = await open({}, async () => {
            made = await outcomeOf(volume.backup(after, { parent }))
          })
          const deleted = await outcomeOf(driver.deleteBackup(parent))
          await assertNoOrphanedChild(volume, parent, { deleted, made }, what)
        })
      },
      'promptListing',
    )

    test(
      `a delete of a parent, between any two calls of an incremental on it before ${operation}, never leaves the incremental alone`,
      async (fixture) => {
        await atEachCall(fixture, operation, async ({ what, open }) => {
          const { volume, parent } = await parentOf(fixture)
          const other = await fixture.open()
          let deleted: Outcome<DeleteResult> | undefined
          const driver = await open({}, async () => {
            deleted = await outcomeOf(other.deleteBackup(parent))
          })
          const made = await outcomeOf(
            driver.backup({ volumeId: volume.volumeId, container: volume.container, parent }, after),
          )
          await assertNoOrphanedChild(volume, parent, { deleted, made }, what)
        })
      },
      'promptListing',
    )
  }

  for (const operation of ['writer.close', 'deleteObject', 'deleteObjects', 'getContainerEntries'] as const) {
    test(
      `a delete that is killed before any call of ${operation} is finished by the next one`,
      async (fixture) => {
        await atEachCall(fixture, operation, async ({ what, open }) => {
          const { volume, parent } = await parentOf(fixture)
          const place = await volume.placeOf(parent)
          await new Promise<void>((resolve, reject) => {
            const die = async (): Promise<void> => {
              resolve()
              await new Promise<void>(() => undefined)
            }
            open({}, die)
              .then((driver) => driver.deleteBackup(parent.id))
              .then(() => {
                resolve()
              }, reject)
          })
          const again = await outcomeOf((await fixture.open()).deleteBackup(parent.id))
          assertRejectedWith(again, ['BACKUP_NOT_FOUND'])
          assert.deepEqual(await place.list(), [], what)
          assert.deepEqual(await place.list(`stowage-deleting_${parent.id}`), [], what)
        })
      },
      'promptListing',
    )
  }

  test(
    'the objects of a killed backup are found as orphans, and no committed backup is',
    async (fixture) => {
      const { volume, parent } = await parentOf(fixture)
      const orphan = await fixture.place({ volumeId: volume.volumeId, container: volume.container })
      await orphan.put(orphan.chunk(1), noise(10))
      await orphan.put(`${orphan.prefix}_sha256file`, noise(10))
      // A dry run: the store may be one that others use.
      const { orphans } = await (await fixture.open()).removeOrphans({ dryRun: true, olderThanMs: 0 })
      const found = orphans.filter(({ container }) => container === volume.container)
      assert.deepEqual(
        found.map(({ kind, name, objectCount, outcome }) => [kind, name, objectCount, outcome]),
        [['objects', orphan.prefix, 2, 'found']],
        inspect(found),
      )
      sameBytes(await volume.restore(parent), before)
    },
    'promptListing',
  )

  test(
    'objectModifiedAt returns times in the order of writing, and undefined where no object exists',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(place.chunk(1), noise(10))
      await place.put(place.chunk(2), noise(10))
      const [first, second] = [await place.modifiedAt(place.chunk(1)), await place.modifiedAt(place.chunk(2))]
      assert.ok(first instanceof Date && second instanceof Date, `gave ${inspect([first, second])}`)
      assert.ok(first.getTime() > Date.UTC(2020, 0), `gave ${first.toISOString()}`)
      assert.ok(first.getTime() <= second.getTime(), `gave ${inspect([first, second])}`)
      assert.equal(await place.modifiedAt(place.chunk(3)), undefined)
    },
    'modificationTimes',
  )

  test(
    'objectInfo returns the length of an object, its MD5 or none, and undefined where no object exists',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(place.chunk(1), noise(1000))
      const md5 = createHash('md5').update(noise(1000)).digest('hex')
      const info = await place.info(place.chunk(1))
      assert.deepEqual(info, info?.md5 === undefined ? { lengthBytes: 1000 } : { lengthBytes: 1000, md5 })
      await place.put(place.chunk(2))
      assert.equal((await place.info(place.chunk(2)))?.lengthBytes, 0)
      assert.equal(await place.info(place.chunk(3)), undefined)
    },
    'objectInfo',
  )

  test(
    'removeTemporaries keeps stored objects, and temporary ones younger than minAge',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(place.chunk(1), noise(10))
      const olderThan = new Date(Date.UTC(2001, 0))
      assert.deepEqual(await place.driver.removeTemporaries({ olderThan }), [])
      assert.deepEqual(await place.list(), [place.chunk(1)])
    },
    'temporaryObjects',
  )

  test(
    'ownsPath is false for files outside of the store',
    async (fixture) => {
      const { driver } = await fixture.place()
      assert.equal(await driver.ownsPath(process.execPath), false)
    },
    'localFiles',
  )
}

async function parentOf(fixture: Fixture): Promise<{ volume: VolumeBackups; parent: BackupRecord }> {
  const volume = new VolumeBackups(fixture)
  return { volume, parent: await volume.backup(before) }
}

async function assertNoOrphanedChild(
  volume: VolumeBackups,
  parent: BackupRecord,
  { deleted, made }: { deleted: Outcome<DeleteResult> | undefined; made: Outcome<BackupRecord> | undefined },
  what: string,
): Promise<void> {
  if (deleted) assertRejectedWith(deleted, ['HAS_DEPENDENTS'])
  if (made && 'error' in made) {
    // What of its parent was gone when it looked.
    assertRejectedWith(made, ['CHAIN_INVALID', 'OBJECT_MISSING', 'BACKUP_NOT_FOUND'])
  }
  const child = made && 'value' in made ? made.value : undefined
  const parentGone = deleted !== undefined && 'value' in deleted
  assert.ok(!(child && parentGone), `${what}: both resolved`)
  const { volumeId, container } = volume
  const found = await volume.driver.listBackups({ volumeId, container })
  assert.deepEqual(
    found.map(({ id }) => id),
    [...(parentGone ? [] : [parent.id]), ...(child ? [child.id] : [])],
    `${what}: the store has other backups than those that it should`,
  )
  if (!parentGone) sameBytes(await volume.restore(parent), before, `${what}: the parent`)
  if (child) {
    await volume.driver.verify(child, { level: 'full' })
    sameBytes(await volume.restore(child), after, `${what}: the incremental`)
  }
  // A delete reads the manifests of all that is there: the next run must not make more calls than this one.
  const [oldest] = found
  if (oldest) await volume.driver.deleteBackup(oldest, { withDescendants: true })
}
