import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { bufferVolume, isBackupError, type BackupRecord } from '@stowage/backup-core'
import { MemoryBackupDriver, type MemoryStore } from '@stowage/backup-testkit'
import { Schedule, killedAt } from './schedule.js'
import { changed, seededBytes } from './volumes.js'

const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048 }
const container = 'volumebackups'
const before = seededBytes(1500)
const after = changed(before, 100, 700)
const hourMs = 60 * 60 * 1000

/** Two deletes of one parent, an incremental on it, and a removal of orphans. */
const [FIRST, SECOND, BACKUP, ORPHANS] = [0, 1, 2, 3]

const schedules = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 9 })), {
  minLength: 3,
  maxLength: 14,
})

async function storeWithParent(): Promise<{ store: MemoryStore; parent: BackupRecord }> {
  const memory = new MemoryBackupDriver(sizes)
  const parent = await memory.backup({ volumeId: 'volume', backupId: 'parent' }, before)
  return { store: memory.store, parent }
}

async function assertWhole(store: MemoryStore, what: string): Promise<string[]> {
  const reader = new MemoryBackupDriver({ ...sizes, store })
  const records = await reader.listBackups()
  for (const record of records) {
    const target = bufferVolume()
    await reader.restore(record.id, target).catch((error: unknown) => {
      throw new Error(`${what}: backup ${record.id} is committed and broken`, { cause: error })
    })
    expect(Buffer.compare(target.bytes, record.parentId === null ? before : after), what).toBe(0)
  }
  return records.map(({ id }) => id)
}

function failed(outcome: unknown): outcome is { readonly error: unknown } {
  return typeof outcome === 'object' && outcome !== null && 'error' in outcome
}

/** A marker of a delete that was killed right after it had written it, a day ago. */
async function markByKilledDelete(store: MemoryStore): Promise<void> {
  const { driver, killed } = killedAt(8, store)
  await Promise.race([driver.deleteBackup('parent').catch(() => undefined), killed])
  for (const name of store.list(container)) {
    store.setModifiedAt(container, name, new Date(Date.now() - 25 * hourMs))
  }
}

/**
 * Runs two deletes of one backup, an incremental on it and a removal of orphans at once, in random schedules, and holds what
 * is left against what they said.
 *
 * @param marked - whether a delete that was killed left its marker before
 * @returns the kinds of outcomes
 */
async function runDeletesAtOnce(numRuns: number, marked: boolean): Promise<ReadonlySet<string>> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  // One delete waits for another by the clock.
  vi.setTimerTickMode('nextTimerAsync')
  try {
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(schedules, async (turns) => {
        const { store, parent } = await storeWithParent()
        if (marked) await markByKilledDelete(store)
        const schedule = new Schedule(turns)
        const [first, second, maker, collector] = [FIRST, SECOND, BACKUP, ORPHANS].map((process) =>
          schedule.driver(process, store),
        )
        const what = JSON.stringify(turns)
        const [one, other, made, collected] = await Promise.all([
          schedule.run(FIRST, () => first!.deleteBackup('parent')),
          schedule.run(SECOND, () => second!.deleteBackup('parent')),
          schedule.run(BACKUP, () => maker!.backup({ volumeId: 'volume', parent }, after)),
          schedule.run(ORPHANS, () => collector!.removeOrphans()),
        ])
        const ids = await assertWhole(store, what)
        if (failed(collected)) throw new Error(what, { cause: collected.error })
        for (const outcome of [one, other]) {
          if (!failed(outcome)) continue
          // The last is of a delete that was refused for an incremental, while another one removed the backup.
          const codes = ['HAS_DEPENDENTS', 'BACKUP_NOT_FOUND', 'CONFLICT', 'DELETE_INCOMPLETE'] as const
          if (!codes.some((code) => isBackupError(outcome.error, code)))
            throw new Error(what, { cause: outcome.error })
        }
        if (!failed(made)) expect(ids, what).toEqual(['parent', made.id])
        const deleted = [one, other].some((outcome) => !failed(outcome))
        if (deleted) expect(ids, what).toEqual([])
        seen.add(`${deleted ? 'deleted' : 'refused'}, ${failed(made) ? 'not made' : 'made'}`)

        // Whatever was left can be deleted, and then nothing is.
        const last = new MemoryBackupDriver({ ...sizes, store })
        await last.deleteBackup('parent', { withDescendants: true }).catch((error: unknown) => {
          if (!isBackupError(error, 'BACKUP_NOT_FOUND')) throw error
        })
        await last.removeOrphans({ olderThanMs: 0 })
        expect(store.list(container), what).toEqual([])
      }),
      { numRuns, seed: 20_261_128 },
    )
    return seen
  } finally {
    vi.useRealTimers()
  }
}

/** Tries random schedules, with and without the marker of a killed delete. */
export function deletesAtOnceSuite(schedulesTried: number, timeoutMs: number): void {
  describe('two deletes of one backup, an incremental on it and a removal of orphans at once', () => {
    it.each([
      ['with no other delete before', false],
      ['with the marker of a killed one', true],
    ])(
      'never lose a backup that a delete refused, nor the parent of an incremental that was made, %s (A3)',
      async (_what, marked) => {
        const seen = await runDeletesAtOnce(schedulesTried, marked)
        expect(seen).toContain('deleted, not made')
        expect(seen).toContain('refused, made')
      },
      timeoutMs,
    )
  })
}
