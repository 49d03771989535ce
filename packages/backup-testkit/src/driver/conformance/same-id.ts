import type { BackupRecord, BackupRequest, ChunkedBackupDriver } from '@stowage/backup-core'
import { isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { noise } from './bytes.js'
import { sameBytes } from './expectations.js'
import type { Fixture } from './fixture.js'
import {
  assertRejectedWith,
  atEachCall,
  interruptedOperations,
  outcomeOf,
  type Outcome,
} from './interleave.js'
import { MemoryTarget } from './memory-target.js'
import type { Area } from './suite.js'

const firstBytes = noise(9000, 1)
/** Of another length, so that one run has names that the other has not. */
const secondBytes = noise(14_000, 2)

const second = new Date('2026-01-02T03:04:05Z')
const laterSecond = new Date('2026-01-02T03:04:06Z')

/** Two runs that are given one backup id: at most one commits, and what is committed is whole. */
export const sameId: Area = (test) => {
  for (const [when, otherClock] of [
    ['in one second', second],
    ['in different seconds', laterSecond],
  ] as const) {
    test(`two concurrent backups of one id ${when}: at most one resolves, and it is whole`, async (fixture) => {
      for (let round = 0; round < 3; round++) {
        const request = requestOf(fixture)
        const one = await fixture.open({ clock: () => second })
        const two = await fixture.open({ clock: () => otherClock })
        const outcomes = await Promise.all([
          outcomeOf(one.backup(request, firstBytes)),
          outcomeOf(two.backup(request, secondBytes)),
        ])
        await assertOneWhole(fixture, request, outcomes)
      }
    })

    for (const operation of interruptedOperations) {
      test(`a backup of one id ${when}, between any two calls of another's before ${operation}: at most one resolves, and it is whole`, async (fixture) => {
        await atEachCall(fixture, operation, async ({ what, open }) => {
          const request = requestOf(fixture)
          const other = await fixture.open({ clock: () => otherClock })
          let inner: Outcome<BackupRecord> | undefined
          const outer = await outcomeOf(
            (
              await open({ clock: () => second }, async () => {
                inner = await outcomeOf(other.backup(request, secondBytes))
              })
            ).backup(request, firstBytes),
          )
          await assertOneWhole(fixture, request, [outer, inner], what)
        })
      })
    }
  }

  for (const operation of ['getContainerEntries', 'getObjectWriter', 'writer.close'] as const) {
    test(`a backup that is aborted before ${operation} never removes objects of another run with its id`, async (fixture) => {
      await atEachCall(fixture, operation, async ({ what, open }) => {
        const request = requestOf(fixture)
        const other = await fixture.open({ clock: () => second })
        const controller = new AbortController()
        let inner: Outcome<BackupRecord> | undefined
        const aborted = await open({ clock: () => second }, async () => {
          inner = await outcomeOf(other.backup(request, secondBytes))
          controller.abort()
        })
        const outer = await outcomeOf(aborted.backup(request, firstBytes, { signal: controller.signal }))
        await assertOneWhole(fixture, request, [unlessAborted(outer), inner], what)
      })
    })
  }
}

function requestOf(fixture: Fixture): BackupRequest & { readonly backupId: string } {
  return { volumeId: randomUUID(), backupId: randomUUID(), container: fixture.defaultContainer }
}

/** The outcome of a run that was aborted; undefined where it says so. */
function unlessAborted(outcome: Outcome<BackupRecord>): Outcome<BackupRecord> | undefined {
  return 'error' in outcome && isBackupError(outcome.error, 'ABORTED') ? undefined : outcome
}

async function assertOneWhole(
  fixture: Fixture,
  { volumeId, backupId, container }: BackupRequest & { readonly backupId: string },
  [one, two]: readonly (Outcome<BackupRecord> | undefined)[],
  what = 'concurrently',
): Promise<void> {
  const resolved: { readonly record: BackupRecord; readonly bytes: Uint8Array }[] = []
  for (const [outcome, bytes] of [
    [one, firstBytes],
    [two, secondBytes],
  ] as const) {
    if (!outcome) continue
    assertRejectedWith(outcome, ['BACKUP_EXISTS', 'CONFLICT'])
    if ('value' in outcome) resolved.push({ record: outcome.value, bytes })
  }
  assert.ok(resolved.length <= 1, `${what}: both resolved`)
  const reader = await fixture.open()
  const found = await backupsOf(reader, volumeId, container)
  assert.deepEqual(
    found.map(({ id, prefix }) => [id, prefix]),
    resolved.map(({ record }) => [backupId, record.prefix]),
    `${what}: the store has other backups than the one that resolved`,
  )
  for (const { record, bytes } of resolved) {
    await reader.verify(record, { level: 'full' })
    const target = new MemoryTarget()
    await reader.restore(record, target)
    sameBytes(target.bytes, bytes, `${what}: the restored bytes`)
  }
}

function backupsOf(
  driver: ChunkedBackupDriver,
  volumeId: string,
  container: string | undefined,
): Promise<BackupRecord[]> {
  return driver.listBackups({ volumeId, ...(container === undefined ? {} : { container }) })
}
