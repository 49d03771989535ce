import { bufferVolume, isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import type { SeenRequest, TestContainer } from '../../../test-fixtures/test-cloud/index.js'
import { TestCloud } from '../../../test-fixtures/test-cloud/index.js'
import type { FaultRow, Outcome } from './fault-table.js'
import { dispensable, faultTable } from './fault-table.js'
import { demoPassword, fast } from './support.js'

const container = 'nightly'
const backupId = '0b0b0b0b-0000-4000-8000-000000000001'
const volumeId = '0a0a0a0a-0000-4000-8000-000000000001'
const volume = noise(10_000)

/** A delete writes a marker that cannot be read anew, and stops before it removes anything where it still cannot. */
const markerOutcomes: readonly Outcome[] = ['success', 'DELETE_INCOMPLETE']

/** A delete makes room: where the store is full, it goes on without a marker, with a warning. */
const fullStoreOutcomes: readonly Outcome[] = ['success']

/** A delete needs to know every container: one of the others may hold an incremental. */
const accountOutcomes: readonly Outcome[] = ['DEPENDENTS_UNKNOWN']

/** What is done while a fault strikes. */
type Phase = 'backup' | 'restore' | 'delete'

const run: Readonly<Record<Phase, (driver: SwiftBackupDriver) => Promise<void>>> = {
  backup: async (driver) => {
    await driver.backup({ volumeId, backupId }, bufferVolume(volume))
  },
  restore: async (driver) => {
    const target = bufferVolume()
    await driver.restore(backupId, target)
    assert.deepEqual(Buffer.from(target.bytes), Buffer.from(volume))
  },
  delete: async (driver) => {
    await driver.deleteBackup(backupId)
  },
}

/** A request's name, the same in each run. */
function labelOf({ service, method, target }: SeenRequest): string {
  if (service !== 'swift') return service === 'info' ? 'GET info' : 'sign in'
  const [path = '', query = ''] = target.split('?', 2)
  if (query.includes('bulk-delete')) return 'POST bulk-delete'
  const [, , , inContainer, ...object] = path.split('/')
  if (inContainer === undefined || inContainer === '') return `${method} account`
  if (object.length === 0)
    return method === 'GET' ? `GET listing ${query.includes('marker') ? '2' : '1'}` : `${method} container`
  const part = path.includes('/stowage-deleting_') ? 'marker' : /(?:-\d+|_\w+)$/.exec(path)?.[0]
  return `${method} object ${part ?? ''}`
}

function concerns(row: FaultRow, label: string): boolean {
  switch (row.only) {
    case undefined:
      return true
    case 'sign-in':
      return label === 'sign in'
    case 'listing':
      return label.startsWith('GET listing')
    case 'object-get':
      return label.startsWith('GET object')
    case 'object-put':
      return label.startsWith('PUT object')
    case 'with-body':
      return label.startsWith('GET') || label === 'sign in' || label === 'POST bulk-delete'
    default:
      return row.only satisfies never
  }
}

function driverOn(cloud: TestCloud): SwiftBackupDriver {
  return new SwiftBackupDriver({
    ...fast,
    credentials: demoPassword(cloud),
    container,
    chunkSizeBytes: 4096,
    blockSizeBytes: 512,
    clock: () => new Date('2026-01-02T03:04:05Z'),
  })
}

/** A cloud that holds what an earlier backup left, where the phase needs one. */
async function cloudFor(phase: Phase, vault: ReadonlyMap<string, TestContainer>): Promise<TestCloud> {
  const cloud = await TestCloud.start()
  if (phase === 'backup') return cloud
  for (const [name, { policy, objects }] of vault) cloud.demo.set(name, { policy, objects: new Map(objects) })
  return cloud
}

async function makeVault(): Promise<ReadonlyMap<string, TestContainer>> {
  await using cloud = await TestCloud.start()
  await using driver = driverOn(cloud)
  await run.backup(driver)
  return new Map(cloud.demo)
}

async function labelsOf(phase: Phase, vault: ReadonlyMap<string, TestContainer>): Promise<string[]> {
  await using cloud = await cloudFor(phase, vault)
  await using driver = driverOn(cloud)
  await run[phase](driver)
  return [...new Set(cloud.requests.map(labelOf))]
}

async function outcomeOf(
  driver: SwiftBackupDriver,
  phase: Phase,
): Promise<{ outcome: Outcome; error?: unknown }> {
  try {
    await run[phase](driver)
    return { outcome: 'success' }
  } catch (error) {
    if (!isBackupError(error)) throw error
    return { outcome: error.code, error }
  }
}

/** Whatever happened: a backup is whole, or it is not there and nothing is left of it, or the error says what is. */
async function assertNothingHalf(
  cloud: TestCloud,
  phase: Phase,
  outcome: Outcome,
  error: unknown,
): Promise<void> {
  cloud.faults.clear()
  await using driver = driverOn(cloud)
  const names = [...(cloud.demo.get(container)?.objects.keys() ?? [])]
  const listed = (await driver.listBackups()).map(({ id }) => id)
  const isThere = listed.includes(backupId)
  if (phase === 'restore' || (phase === 'backup' && outcome === 'success'))
    assert.ok(isThere, 'the backup is there')
  if (phase === 'backup' && outcome !== 'success') assert.ok(!isThere, 'no backup without success')
  if (phase === 'delete' && outcome === 'success') assert.ok(!isThere, 'the backup is gone')
  if (isThere) {
    await driver.verify(backupId, { level: 'full' })
    return
  }
  if (phase === 'delete' && outcome !== 'success') {
    // A delete that was interrupted has its marker, and is finished by another one.
    await driver.deleteBackup(backupId).catch((failure: unknown) => {
      if (!isBackupError(failure, 'BACKUP_NOT_FOUND')) throw failure
    })
    assert.deepEqual(
      [...(cloud.demo.get(container)?.objects.keys() ?? [])],
      [],
      'a second delete finishes it',
    )
    return
  }
  const told = isBackupError(error) ? (error.details.leftovers ?? []) : []
  assert.deepEqual(
    names.filter((name) => !told.includes(name)),
    [],
    'nothing is left that the error does not name',
  )
}

async function strike(
  phase: Phase,
  vault: ReadonlyMap<string, TestContainer>,
  row: FaultRow,
  label: string,
  times: 'once' | 'always',
): Promise<string | undefined> {
  await using cloud = await cloudFor(phase, vault)
  cloud.faults.add({
    fault: row.fault,
    when: (request) => labelOf(request) === label,
    times: times === 'once' ? 1 : Infinity,
  })
  try {
    const driver = driverOn(cloud)
    const { outcome, error } = await outcomeOf(driver, phase).finally(() => driver.close())
    const allowed = [
      ...row[times],
      ...(label.startsWith('GET listing') ? (row.listing ?? []) : []),
      ...(label === 'GET object marker' ? markerOutcomes : []),
      ...(label === 'GET account' && row[times].includes('FORBIDDEN') ? accountOutcomes : []),
      ...(label === 'PUT object marker' && row[times].includes('NO_SPACE') ? fullStoreOutcomes : []),
      ...(dispensable.some((pattern) => pattern.test(label)) ? ['success'] : []),
    ]
    assert.ok(allowed.includes(outcome), `it ended with ${outcome}: ${String(error)}`)
    await assertNothingHalf(cloud, phase, outcome, error)
    return undefined
  } catch (error) {
    return `${label}, ${times}: ${String(error)}`
  }
}

/** How often a fault strikes, and at how many of the requests that it concerns: 1 is each of them, 4 every fourth. */
export interface FaultPlan {
  readonly times: 'once' | 'always'
  readonly everyNth: number
}

/** Strikes the requests of a backup, a restore and a delete with the faults of the table. */
export function faultSuite({ times, everyNth }: FaultPlan): void {
  describe(`a fault at each request, ${times}`, async () => {
    const vault = await makeVault()
    for (const phase of ['backup', 'restore', 'delete'] as const) {
      const labels = await labelsOf(phase, vault)
      describe(`of a ${phase} (${labels.length} kinds of requests)`, () => {
        for (const [index, row] of faultTable.entries()) {
          it(
            `${row.name}: ends well or with one clear error, and leaves nothing half`,
            { timeout: 60_000 },
            async () => {
              // Of neighbouring rows others are left out, so that each kind of request is struck by some faults.
              const struck = labels
                .filter((label) => concerns(row, label))
                .filter((_label, at, { length }) => at % everyNth === index % Math.min(everyNth, length))
              const failures = await Promise.all(
                struck.map((label) => strike(phase, vault, row, label, times)),
              )
              assert.deepEqual(
                failures.filter((failure) => failure !== undefined),
                [],
              )
            },
          )
        }
      })
    }
  })
}

/** Bytes that do not compress, the same in each run. */
function noise(lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes)
  let state = 12_345
  for (let at = 0; at < lengthBytes; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}
