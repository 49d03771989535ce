import { BackupError, isBackupError } from '@stowage/backup-core'
import type { BackupRecord, BackupRequest } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { fault } from '../faulty/fault.js'
import { FaultyBackupDriver } from '../faulty/faulty-driver.js'
import type { Fault, StoreOperation } from '../faulty/faults.js'
import { noise, patched } from './bytes.js'
import { rejection, sameBytes } from './expectations.js'
import type { Fixture } from './fixture.js'
import { MemoryTarget } from './memory-target.js'
import type { Area } from './suite.js'

const bytes = noise(20_000)

/** Where a backup can break. */
const faultyCalls: readonly (readonly [
  what: string,
  operations: StoreOperation | readonly StoreOperation[],
  object: RegExp | undefined,
])[] = [
  ['the container cannot be made', 'putContainer', undefined],
  ['a chunk cannot be opened', 'getObjectWriter', /-00003$/],
  // A writer that takes replayable bodies is given one.
  ['a chunk cannot be written', ['writer.write', 'writer.writeFrom'], /-00003$/],
  ['a chunk cannot be closed', 'writer.close', /-00003$/],
  ['the hash list cannot be closed', 'writer.close', /_sha256file$/],
  ['the metadata cannot be closed', 'writer.close', /_metadata$/],
]

/** The metadata object commits: all of a backup, or nothing of it. */
export const commits: Area = (test) => {
  test('the metadata is the last object that a backup writes', async (fixture) => {
    const { driver, request } = await faulty(fixture)
    try {
      await driver.backup(request, bytes)
      const closed = driver.calls.filter(({ operation }) => operation === 'writer.close')
      assert.match(closed.at(-1)?.objectName ?? '', /_metadata$/)
      assert.equal(closed.filter(({ objectName }) => objectName?.endsWith('_metadata')).length, 1)
    } finally {
      await driver.close()
    }
  })

  test('the metadata is the first object that a delete removes', async (fixture) => {
    const { driver, request } = await faulty(fixture)
    try {
      const record = await driver.backup(request, bytes)
      const callsBefore = driver.calls.length
      await driver.deleteBackup(record)
      const calls = driver.calls.slice(callsBefore)
      const deleted = calls.filter(({ operation }) => operation === 'deleteObject')
      // A driver that deletes in bulk shows the one that had to go first alone.
      assert.match(deleted[0]?.objectName ?? '', /_metadata$/)
    } finally {
      await driver.close()
    }
  })

  for (const [what, operations, object] of faultyCalls) {
    test(`a backup for which ${what} fails with that error, and leaves nothing`, async (fixture) => {
      const error = new BackupError('NO_SPACE', 'A planned fault: the store is full.')
      await failsAndLeavesNothing(
        fixture,
        fault.fail(operations, { ...(object && { object }), error }),
        error,
      )
    })
  }

  test('a backup fails and leaves nothing where its last object is stored although the writer rejected', async (fixture) => {
    const error = new BackupError('STORE_UNAVAILABLE', 'A planned fault: the answer was lost.')
    await failsAndLeavesNothing(
      fixture,
      fault.fail('writer.close', { object: /_metadata$/, when: 'after', error }),
      error,
    )
  })

  for (const [what, object] of [
    ['a chunk', /-00003$/],
    ['the metadata', /_metadata$/],
  ] as const) {
    test(`a backup that is aborted while it stores ${what} rejects with ABORTED, and leaves nothing`, async (fixture) => {
      const controller = new AbortController()
      const abort = fault.run('writer.close', {
        object,
        run: () => {
          controller.abort()
        },
      })
      await failsAndLeavesNothing(fixture, abort, 'ABORTED', controller.signal)
    })
  }

  test('an incremental that fails leaves its parent whole', async (fixture) => {
    const { driver, request } = await faulty(fixture)
    try {
      const full = await driver.backup(request, bytes)
      driver.addFault(fault.fail('writer.close', { object: /_sha256file$/ }))
      const next = driver.backup(
        { ...request, backupId: randomUUID(), parent: full },
        patched(bytes, 9, noise(9000, 2)),
      )
      assert.ok(isBackupError(await rejection(next), 'STORE_FAILED'))
      sameBytes(await restored(fixture, full), bytes)
    } finally {
      await driver.close()
    }
  })
}

async function faulty(
  fixture: Fixture,
  ...faults: Fault[]
): Promise<{ driver: FaultyBackupDriver; request: BackupRequest & { readonly backupId: string } }> {
  const driver = new FaultyBackupDriver(await fixture.openUnowned(), { faults })
  const request = { volumeId: randomUUID(), backupId: randomUUID(), container: fixture.defaultContainer }
  return { driver, request }
}

async function failsAndLeavesNothing(
  fixture: Fixture,
  planned: Fault,
  expected: BackupError | 'ABORTED',
  signal?: AbortSignal,
): Promise<void> {
  const { driver, request } = await faulty(fixture, planned)
  try {
    const error = await rejection(driver.backup(request, bytes, signal ? { signal } : {}))
    if (expected === 'ABORTED') assert.ok(isBackupError(error, 'ABORTED'), `rejected with ${String(error)}`)
    else assert.equal(error, expected)
    const written = driver.calls.filter(({ operation }) => operation === 'getObjectWriter')
    const other = await fixture.open()
    for (const { container = '', objectName = '' } of written) {
      assert.equal(await other.objectExists(container, objectName, {}), false, `${objectName} is left`)
    }
  } finally {
    await driver.close()
  }
}

async function restored(fixture: Fixture, record: BackupRecord): Promise<Uint8Array> {
  const target = new MemoryTarget()
  await fixture.driver.restore(record, target)
  return target.bytes
}
