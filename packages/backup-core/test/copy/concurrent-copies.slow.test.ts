import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  copyBackup,
  isBackupError,
  type BackupErrorCode,
  type ChunkedBackupDriver,
} from '@stowage/backup-core'
import { MemoryBackupDriver, MemoryStore } from '@stowage/backup-testkit'
import { Schedule } from '../engine/schedule.js'
import { seededBytes } from '../engine/volumes.js'
import { clock, container, full, next, restored, sizes, sourceOfTwo } from './support.js'

const other = seededBytes(9000, 7)
const COPY = 0
const OTHER = 1

/** What runs beside a copy, in another process. */
type Rival = (driver: ChunkedBackupDriver) => Promise<unknown>

interface Race {
  readonly backup: string
  /** What the destination has before. */
  readonly prepare?: (store: MemoryStore) => Promise<unknown>
  readonly rival: Rival
  readonly rivalClock?: () => Date
}

/** Runs a copy and a rival on one store, with three switches between their calls, in every n-th way. */
async function race(
  { backup, prepare, rival, rivalClock = clock }: Race,
  everyNth: number,
  check: (store: MemoryStore, copied: unknown, made: unknown, what: string) => Promise<void>,
): Promise<number> {
  const from = await sourceOfTwo()
  const counts: number[] = []
  for (const process of [COPY, OTHER]) {
    const store = new MemoryStore()
    await prepare?.(store)
    const schedule = new Schedule()
    const driver = schedule.driver(process, store, { clock })
    await (process === COPY ? copyBackup(from, driver, backup) : rival(driver))
    counts.push(schedule.calls(process))
  }
  let tried = 0
  let index = 0
  for (const first of [COPY, OTHER]) {
    for (let pause = 0; pause <= counts[first]!; pause += 1) {
      for (let otherPause = 1; otherPause <= counts[1 - first]!; otherPause += 1) {
        index += 1
        if (index % everyNth !== 0) continue
        const store = new MemoryStore()
        await prepare?.(store)
        const schedule = new Schedule([
          [first, pause],
          [1 - first, otherPause],
          [first, Infinity],
          [1 - first, Infinity],
        ])
        const copier = schedule.driver(COPY, store, { clock })
        const rivalDriver = schedule.driver(OTHER, store, { clock: rivalClock })
        const [copied, made] = await Promise.all([
          schedule.run(COPY, () => copyBackup(from, copier, backup)),
          schedule.run(OTHER, () => rival(rivalDriver)),
        ])
        const what = `process ${first} to call ${pause}, the other one to ${otherPause}`
        await check(store, copied, made, what)
        tried += 1
      }
    }
  }
  return tried
}

const errorOf = (outcome: unknown): unknown =>
  typeof outcome === 'object' && outcome !== null && 'error' in outcome ? outcome.error : undefined

function assertCode(outcome: unknown, codes: readonly BackupErrorCode[], what: string): void {
  const error = errorOf(outcome)
  if (error === undefined) return
  expect(
    codes.some((code) => isBackupError(error, code)),
    `${what}: ${(error as Error).message}`,
  ).toBe(true)
}

/** Checks that each committed backup is whole, and returns the bytes of each. */
async function wholeBackups(store: MemoryStore, what: string): Promise<Map<string, Uint8Array>> {
  const reader = new MemoryBackupDriver({ ...sizes, store })
  const found = new Map<string, Uint8Array>()
  for (const { id } of await reader.listBackups()) {
    await reader.verify(id, { level: 'full' }).catch((error: unknown) => {
      throw new Error(`${what}: backup ${id} is committed and broken`, { cause: error })
    })
    found.set(id, await restored(reader, id))
  }
  return found
}

describe('a copy, however its calls interleave with those of another process', () => {
  it(
    'and the same copy store the backup whole, and at least one succeeds',
    { timeout: 120_000 },
    async () => {
      const from = await sourceOfTwo()
      const outcomes = new Set<string>()
      const rival: Rival = (driver) => copyBackup(from, driver, 'b0')
      const tried = await race({ backup: 'b0', rival }, 14, async (store, copied, made, what) => {
        for (const outcome of [copied, made]) assertCode(outcome, ['CONFLICT', 'OBJECT_MISSING'], what)
        const successes = [copied, made].filter((outcome) => errorOf(outcome) === undefined).length
        outcomes.add(String(successes))
        expect(successes, `${what}: ${inspect(errorOf(copied))} ${inspect(errorOf(made))}`).toBeGreaterThan(0)
        expect((await wholeBackups(store, what)).get('b0'), what).toEqual(full)
        expect(
          store.list(container).filter((name) => name.startsWith('stowage-')),
          what,
        ).toEqual([])
      })
      expect(tried).toBeGreaterThan(50)
      expect(outcomes).toContain('2')
    },
  )

  it.each([
    ['in the same second, and so under the same prefix', clock],
    ['in another second', () => new Date('2026-01-01T00:00:09Z')],
  ])(
    'and a backup of the same id %s: at most one is kept, and it is whole',
    { timeout: 120_000 },
    async (_, rivalClock) => {
      const rival: Rival = (driver) => driver.backup({ volumeId: 'volume', backupId: 'b0' }, other)
      const tried = await race({ backup: 'b0', rival, rivalClock }, 23, async (store, copied, made, what) => {
        assertCode(copied, ['CONFLICT', 'BACKUP_EXISTS'], what)
        assertCode(made, ['CONFLICT', 'BACKUP_EXISTS'], what)
        const winners = [copied, made].filter((outcome) => errorOf(outcome) === undefined).length
        expect(winners, what).toBeLessThanOrEqual(1)
        const found = (await wholeBackups(store, what)).get('b0')
        if (winners === 0) expect(found, what).toBeUndefined()
        else expect(found, what).toEqual(errorOf(copied) === undefined ? full : other)
      })
      expect(tried).toBeGreaterThan(30)
    },
  )

  it(
    'and a delete of its parent: the incremental is never left without it',
    { timeout: 120_000 },
    async () => {
      const from = await sourceOfTwo()
      const prepare = async (store: MemoryStore): Promise<unknown> =>
        copyBackup(from, new MemoryBackupDriver({ ...sizes, store }), 'b0')
      const rival: Rival = (driver) => driver.deleteBackup('b0')
      const outcomes = new Set<string>()
      const tried = await race({ backup: 'b1', prepare, rival }, 9, async (store, copied, deleted, what) => {
        assertCode(copied, ['CHAIN_INVALID', 'CONFLICT', 'OBJECT_MISSING'], what)
        assertCode(deleted, ['HAS_DEPENDENTS', 'CONFLICT', 'BACKUP_NOT_FOUND'], what)
        const found = await wholeBackups(store, what)
        if (errorOf(copied) === undefined) expect(found.get('b1'), what).toEqual(next)
        if (errorOf(deleted) !== undefined) expect(found.get('b0'), what).toEqual(full)
        outcomes.add(
          `${errorOf(copied) === undefined ? 'copied' : 'not copied'}, ${errorOf(deleted) === undefined ? 'deleted' : 'kept'}`,
        )
      })
      expect(tried).toBeGreaterThan(25)
      expect([...outcomes]).toEqual(expect.arrayContaining(['copied, kept', 'not copied, deleted']))
    },
  )
})
