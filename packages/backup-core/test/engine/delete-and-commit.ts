import { describe, expect, it } from 'vitest'
import { bufferVolume, isBackupError, type BackupRecord } from '@stowage/backup-core'
import { MemoryBackupDriver, MemoryStore } from '@stowage/backup-testkit'
import { Schedule, killedAt } from './schedule.js'
import { changed, seededBytes } from './volumes.js'

const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048, maxMemoryBytes: 2 ** 24 }
const container = 'volumebackups'
const before = seededBytes(1500)
const after = changed(before, 100, 700)
const DELETE = 0
const BACKUP = 1

async function storeWithParent(): Promise<{ store: MemoryStore; parent: BackupRecord; names: string[] }> {
  const memory = new MemoryBackupDriver(sizes)
  const parent = await memory.backup({ volumeId: 'volume', backupId: 'parent' }, before)
  return { store: memory.store, parent, names: memory.store.list(container) }
}

function isRecord(outcome: unknown): outcome is BackupRecord {
  return typeof outcome === 'object' && outcome !== null && 'prefix' in outcome
}

/** How many calls each of the two makes alone. */
async function callsAlone(): Promise<{ ofDelete: number; ofBackup: number }> {
  const counts: number[] = []
  for (const process of [DELETE, BACKUP]) {
    const { store, parent } = await storeWithParent()
    const schedule = new Schedule()
    const driver = schedule.driver(process, store)
    await (process === DELETE
      ? driver.deleteBackup('parent')
      : driver.backup({ volumeId: 'volume', parent }, after))
    counts.push(schedule.calls(process))
  }
  return { ofDelete: counts[0]!, ofBackup: counts[1]! }
}

/** No committed backup without its parent, and none that is not whole. */
async function assertWhole(store: MemoryStore, what: string): Promise<BackupRecord[]> {
  const reader = new MemoryBackupDriver({ ...sizes, store })
  const records = await reader.listBackups()
  for (const record of records) {
    await reader.verify(record.id, { level: 'full' }).catch((error: unknown) => {
      throw new Error(`${what}: backup ${record.id} is committed and broken`, { cause: error })
    })
    const target = bufferVolume()
    await reader.restore(record.id, target)
    expect(Buffer.compare(target.bytes, record.parentId === null ? before : after), what).toBe(0)
  }
  return records
}

interface Interleaving {
  /** Which of the two runs first. */
  readonly first: number
  /** How many calls it makes then. */
  readonly pause: number
  /** How many calls the other one makes then. */
  readonly otherPause: number
  /** How many calls the first one makes then; the other one makes its remaining calls. */
  readonly third: number
}

/** Every way in which the calls of the two can interleave with three switches. */
function interleavings(ofDelete: number, ofBackup: number): Interleaving[] {
  const counts = [
    [DELETE, ofDelete, ofBackup],
    [BACKUP, ofBackup, ofDelete],
  ] as const
  return counts.flatMap(([first, calls, otherCalls]) =>
    range(0, calls).flatMap((pause) =>
      [Infinity, 2].flatMap((third) =>
        range(1, otherCalls).map((otherPause) => ({ first, pause, otherPause, third })),
      ),
    ),
  )
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** Tries each n-th way in which the calls of a delete and a backup can interleave. */
export function deleteAndCommitSuite({
  everyNth,
  timeoutMs,
}: {
  readonly everyNth: number
  readonly timeoutMs: number
}): void {
  describe('a delete of a parent and an incremental on it', () => {
    it(
      'never leave an incremental without its parent, however their calls interleave (A3)',
      async () => {
        const { ofDelete, ofBackup } = await callsAlone()
        const all = interleavings(ofDelete, ofBackup)
        expect(all.length).toBeGreaterThan(250)
        const seen = new Set<string>()
        for (const { first, pause, otherPause, third } of all.filter((_, index) => index % everyNth === 0)) {
          const { store, parent, names } = await storeWithParent()
          const schedule = new Schedule([
            [first, pause],
            [1 - first, otherPause],
            [first, third],
            [1 - first, Infinity],
          ])
          const deleter = schedule.driver(DELETE, store)
          const maker = schedule.driver(BACKUP, store)
          const [deleted, made] = await Promise.all([
            schedule.run(DELETE, () => deleter.deleteBackup(parent)),
            schedule.run(BACKUP, () => maker.backup({ volumeId: 'volume', parent }, after)),
          ])
          const what = `process ${first} to call ${pause}, the other one to ${otherPause}, ${third} more`
          const records = await assertWhole(store, what)
          if ('error' in deleted) {
            expect(isBackupError(deleted.error, 'HAS_DEPENDENTS'), `${what}: ${String(deleted.error)}`).toBe(
              true,
            )
          }
          if (!isRecord(made)) {
            const codes = ['CHAIN_INVALID', 'OBJECT_MISSING'] as const
            expect(
              codes.some((code) => isBackupError(made.error, code)),
              `${what}: ${String(made.error)}`,
            ).toBe(true)
          }
          const expected = [...('error' in deleted ? ['parent'] : []), ...(isRecord(made) ? [made.id] : [])]
          expect(
            records.map(({ id }) => id),
            what,
          ).toEqual(expected)
          // Nothing is left of what was deleted or taken back: no objects, no marker.
          const kept = store
            .list(container)
            .filter((name) => !(isRecord(made) && name.startsWith(made.prefix)))
          expect(kept.sort(), what).toEqual('error' in deleted ? [...names].sort() : [])
          seen.add(`${'error' in deleted ? 'refused' : 'deleted'}, ${isRecord(made) ? 'made' : 'not made'}`)
        }
        const rare = everyNth === 1 ? ['refused, not made'] : []
        expect([...seen]).toEqual(expect.arrayContaining(['deleted, not made', 'refused, made', ...rare]))
      },
      timeoutMs,
    )

    it(
      'never leave an incremental without its parent when the delete is killed, and then repeated (A3, C2)',
      async () => {
        const { ofDelete, ofBackup } = await callsAlone()
        const all = range(1, ofDelete).flatMap((death) =>
          range(0, ofBackup).map((pause) => ({ death, pause })),
        )
        for (const { death, pause } of all.filter((_, index) => index % everyNth === 0)) {
          const { store, parent } = await storeWithParent()
          const schedule = new Schedule([
            [BACKUP, pause],
            [DELETE, Infinity],
            [BACKUP, Infinity],
          ])
          const maker = schedule.driver(BACKUP, store)
          const { driver: dying, killed } = killedAt(death, store)
          const [, made] = await Promise.all([
            schedule.run(DELETE, () =>
              Promise.race([dying.deleteBackup('parent').catch(() => undefined), killed]),
            ),
            schedule.run(BACKUP, () => maker.backup({ volumeId: 'volume', parent }, after)),
          ])
          const what = `killed before call ${death}, the backup at call ${pause}`
          const again = new MemoryBackupDriver({ ...sizes, store })
          const outcome = await again.deleteBackup('parent').catch((error: unknown) => error)
          const records = await assertWhole(store, what)
          if (isRecord(made)) {
            expect(isBackupError(outcome, 'HAS_DEPENDENTS'), `${what}: ${String(outcome)}`).toBe(true)
            expect(
              records.map(({ id }) => id),
              what,
            ).toEqual(['parent', made.id])
          } else {
            // It had finished before it could be killed, or it was finished now.
            const gone = isBackupError(outcome, 'BACKUP_NOT_FOUND') || !isBackupError(outcome)
            expect(gone, `${what}: ${String(outcome)}`).toBe(true)
            expect(store.list(container), what).toEqual([])
          }
        }
      },
      timeoutMs,
    )
  })

  describe('a delete that is killed', () => {
    it('is finished by the next one, whatever it had done (C2)', async () => {
      const { ofDelete } = await callsAlone()
      for (let death = 1; death <= ofDelete; death += 1) {
        const { store } = await storeWithParent()
        const { driver, killed } = killedAt(death, store)
        await Promise.race([driver.deleteBackup('parent'), killed])
        const again = new MemoryBackupDriver({ ...sizes, store })
        const outcome = await again.deleteBackup('parent').catch((error: unknown) => error)
        // Only the very last call leaves nothing to finish.
        if (isBackupError(outcome)) expect(outcome.code, `call ${death}`).toBe('BACKUP_NOT_FOUND')
        expect(store.list(container), `call ${death}`).toEqual([])
      }
    })
  })
}
