import { bufferVolume, isBackupError } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { patterned } from '../../../test-fixtures/patterned.js'
import type { SeenRequest } from '../../../test-fixtures/test-cloud/index.js'
import { TestS3 } from '../../../test-fixtures/test-s3/index.js'
import type { StoredBucket } from '../../../test-fixtures/test-s3/s3-api.js'
import { S3BackupDriver } from '../src/index.js'
import { dispensable, faultTable, type FaultRow, type Outcome } from './fault-table.js'
import { optionsFor } from './support.js'

const container = 'nightly'
const volumeId = '0a0a0a0a-0000-4000-8000-000000000001'
const parentId = '0b0b0b0b-0000-4000-8000-000000000001'
const backupId = '0b0b0b0b-0000-4000-8000-000000000002'
const before = patterned(10_000, 3)
const volume = Buffer.concat([patterned(4500, 4), before.subarray(4500)])

/** A delete writes a marker that cannot be read anew, and stops before it removes anything where it still cannot. */
const markerOutcomes: readonly Outcome[] = ['success', 'DELETE_INCOMPLETE']

/** A delete makes room: where the store is full, it goes on without a marker, with a warning. */
const fullStoreOutcomes: readonly Outcome[] = ['success']

/** Another manifest of the volume that cannot be read may be that of an incremental: a delete is rejected, all else goes on. */
const otherManifestOutcomes: readonly Outcome[] = ['success', 'DEPENDENTS_UNKNOWN']

/** What is done while a fault strikes, on a store that has a backup, and for all but the first its incremental. */
type Phase = 'backup' | 'restore' | 'delete'

const run: Readonly<Record<Phase, (driver: S3BackupDriver) => Promise<void>>> = {
  backup: async (driver) => {
    await driver.backup({ volumeId, backupId, parent: parentId }, bufferVolume(volume))
  },
  restore: async (driver) => {
    // A part of the volume is read by ranges of its objects.
    const part = bufferVolume()
    await driver.restore(backupId, part, { range: { offsetBytes: 512, lengthBytes: 512 } })
    assert.deepEqual(Buffer.from(part.bytes.subarray(512, 1024)), volume.subarray(512, 1024))
    assert.deepEqual(await restored(driver, backupId), volume)
  },
  delete: async (driver) => {
    await driver.deleteBackup(backupId)
  },
}

async function restored(driver: S3BackupDriver, id: string): Promise<Buffer> {
  const target = bufferVolume()
  await driver.restore(id, target)
  return Buffer.from(target.bytes)
}

/** A request's name, the same in each run. */
function labelOf({ method, target }: SeenRequest): string {
  const [path = '', query = ''] = target.split('?', 2)
  const [, bucket = '', ...object] = path.split('/')
  if (bucket === '') return `${method} buckets`
  if (query.startsWith('delete')) return 'POST delete'
  if (object.join('/') === '') {
    if (method !== 'GET') return `${method} bucket`
    return `GET listing ${query.includes('continuation-token') ? '2' : '1'}`
  }
  const isMarker = path.includes('/stowage-deleting_')
  const part = isMarker ? 'marker' : /_[0-9a-f]{32}$/.test(path) ? 'claim' : /(?:-\d+|_\w+)$/.exec(path)?.[0]
  return `${method} object ${path.includes(backupId) ? '' : 'of the parent '}${part ?? ''}`
}

function concerns({ only }: FaultRow, label: string): boolean {
  switch (only) {
    case undefined:
      return true
    case 'listing':
      return label.startsWith('GET listing')
    case 'object-get':
      return label.startsWith('GET object')
    case 'range-get':
      // These are read in pieces.
      return /^GET object .*_(?:metadata|sha256file)$/.test(label)
    case 'object-put':
      return label.startsWith('PUT object')
    case 'with-body':
      return label.startsWith('GET') || label === 'POST delete'
    default:
      return only satisfies never
  }
}

function driverOn(s3: TestS3): S3BackupDriver {
  return new S3BackupDriver({
    ...optionsFor(s3),
    ...{ backupS3RetryMaxAttempts: 2, retryBackoffSeconds: 0.001, retryMaxBackoffSeconds: 0.01 },
    ...{ connectTimeoutSeconds: 2, headersTimeoutSeconds: 0.3, bodyTimeoutSeconds: 0.3 },
    ...{ container, chunkSizeBytes: 4096, blockSizeBytes: 512 },
    clock: () => new Date('2026-01-02T03:04:05Z'),
  })
}

type Vault = ReadonlyMap<string, StoredBucket>

const copyOf = (vault: Vault): [string, StoredBucket][] =>
  [...vault].map(([name, { objects }]) => [name, { objects: new Map(objects), uploads: new Map() }])

/** A store that holds what earlier operations left. */
async function storeWith(vault: Vault): Promise<TestS3> {
  const s3 = await TestS3.start({ listingLimit: 4 })
  for (const [name, bucket] of copyOf(vault)) s3.buckets.set(name, bucket)
  return s3
}

/** What each phase finds. */
async function makeVaults(): Promise<Readonly<Record<Phase, Vault>>> {
  await using s3 = await storeWith(new Map())
  await using driver = driverOn(s3)
  await driver.backup({ volumeId, backupId: parentId }, bufferVolume(before))
  const backup = new Map(copyOf(s3.buckets))
  await run.backup(driver)
  const both = new Map(copyOf(s3.buckets))
  return { backup, restore: both, delete: both }
}

async function labelsOf(phase: Phase, vault: Vault): Promise<string[]> {
  await using s3 = await storeWith(vault)
  await using driver = driverOn(s3)
  await run[phase](driver)
  return [...new Set(s3.requests.map(labelOf))]
}

async function outcomeOf(
  driver: S3BackupDriver,
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

/** Whatever happened: what was committed restores, and a backup is whole, or gone, or the error lists what is left of it. */
async function assertNothingLost(
  s3: TestS3,
  vaults: Readonly<Record<Phase, Vault>>,
  phase: Phase,
  outcome: Outcome,
  error: unknown,
): Promise<void> {
  s3.faults.clear()
  await using driver = driverOn(s3)
  const names = (): string[] => [...(s3.buckets.get(container)?.objects.keys() ?? [])].sort()
  const ofParent = [...(vaults.backup.get(container)?.objects.keys() ?? [])].sort()
  assert.deepEqual(await restored(driver, parentId), before, 'the parent restores')
  const isThere = (await driver.listBackups()).some(({ id }) => id === backupId)
  if (phase === 'restore' || (phase === 'backup' && outcome === 'success'))
    assert.ok(isThere, 'the backup is there')
  if (phase === 'backup' && outcome !== 'success') assert.ok(!isThere, 'no backup without success')
  if (phase === 'delete' && outcome === 'success') assert.ok(!isThere, 'the backup is gone')
  if (isThere) {
    await driver.verify(backupId, { level: 'full' })
    assert.deepEqual(await restored(driver, backupId), volume)
    return
  }
  if (phase === 'delete' && outcome !== 'success') {
    // A delete that was interrupted has its marker, and is finished by another one.
    await driver.deleteBackup(backupId).catch((failure: unknown) => {
      if (!isBackupError(failure, 'BACKUP_NOT_FOUND')) throw failure
    })
    assert.deepEqual(names(), ofParent, 'a second delete finishes it')
    return
  }
  const leftovers = isBackupError(error) ? (error.details.leftovers ?? []) : []
  assert.deepEqual(
    names().filter((name) => !leftovers.includes(name)),
    ofParent,
    'nothing is left that the error does not name',
  )
}

async function strike(
  phase: Phase,
  vaults: Readonly<Record<Phase, Vault>>,
  row: FaultRow,
  label: string,
  times: 'once' | 'always',
): Promise<string | undefined> {
  await using s3 = await storeWith(vaults[phase])
  let struck = 0
  s3.faults.add({
    fault: row.fault,
    when: (request) => {
      const isIt = labelOf(request) === label
      if (isIt) struck += 1
      return isIt
    },
    times: times === 'once' ? 1 : Infinity,
  })
  try {
    const driver = driverOn(s3)
    const { outcome, error } = await outcomeOf(driver, phase).finally(() => driver.close())
    assert.ok(struck > 0, 'the request was sent')
    const allowed = [
      ...row[times],
      ...(label.startsWith('GET listing') ? (row.listing ?? []) : []),
      ...(label === 'GET object marker' ? markerOutcomes : []),
      ...(label === 'GET object of the parent _metadata' ? otherManifestOutcomes : []),
      ...(label === 'GET buckets' && row[times].includes('FORBIDDEN') ? ['DEPENDENTS_UNKNOWN'] : []),
      ...(label === 'PUT object marker' && row[times].includes('NO_SPACE') ? fullStoreOutcomes : []),
      ...(dispensable.some((pattern) => pattern.test(label)) ? ['success'] : []),
    ]
    assert.ok(allowed.includes(outcome), `it ended with ${outcome}: ${String(error)}`)
    await assertNothingLost(s3, vaults, phase, outcome, error)
    return undefined
  } catch (error) {
    return `${label}, ${times}: ${String(error)}`
  }
}

/** How often a fault strikes, and at how many of the requests that it concerns: 1 is each of them, 4 every fourth. */
export interface FaultPlan {
  readonly times: 'once' | 'always'
  readonly everyNth: number
  /** Strikes one phase only with each row of the table, the next row the next phase. @default each phase */
  readonly onePhase?: boolean
}

/** Strikes the requests of a backup, a restore and a delete with the faults of the table. */
export function faultSuite({ times, everyNth, onePhase = false }: FaultPlan): void {
  describe(`a fault at each request, ${times}`, async () => {
    const vaults = await makeVaults()
    for (const [turn, phase] of (['backup', 'restore', 'delete'] as const).entries()) {
      const labels = await labelsOf(phase, vaults[phase])
      describe(`of a ${phase} (${labels.length} kinds of requests)`, () => {
        for (const [index, row] of faultTable.entries()) {
          if (onePhase && index % 3 !== turn) continue
          const concerned = labels.filter((label) => concerns(row, label))
          // Of neighbouring rows others are left out, so that each kind of request is struck by some faults.
          const struck = concerned.filter(
            (_label, at, { length }) => at % everyNth === index % Math.min(everyNth, length),
          )
          if (struck.length === 0) continue
          it(
            `${row.name}: ends well or with one clear error, and loses nothing`,
            { timeout: 60_000 },
            async () => {
              const failures = await Promise.all(
                struck.map((label) => strike(phase, vaults, row, label, times)),
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
