import type { ChunkedBackupDriver, ChunkedDriverOptions } from '@stowage/backup-core'
import { isBackupError } from '@stowage/backup-core'
import type { BackupErrorCode } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { fault } from '../faulty/fault.js'
import { FaultyBackupDriver } from '../faulty/faulty-driver.js'
import type { StoreCall, StoreOperation } from '../faulty/faults.js'
import type { Fixture } from './fixture.js'

/** The calls before which another process may run. */
export const interruptedOperations = [
  'putContainer',
  'getContainers',
  'getContainerEntries',
  'getExtraMetadata',
  'getObjectWriter',
  'writer.close',
  'getObjectReader',
  'objectExists',
  'deleteObject',
  'deleteObjects',
] as const satisfies readonly StoreOperation[]

/** The outcome of an operation. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown }

/** Waits for an operation to settle. */
export async function outcomeOf<T>(operation: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await operation }
  } catch (error) {
    return { error }
  }
}

/** Asserts that an operation resolved, or rejected with one of the codes. */
export function assertRejectedWith(outcome: Outcome<unknown>, codes: readonly BackupErrorCode[]): void {
  if (!('error' in outcome)) return
  const { error } = outcome
  assert.ok(isBackupError(error), `rejected with what is not a BackupError: ${inspect(error)}`)
  assert.ok(
    codes.includes(error.code),
    `rejected with ${error.code}, where one of ${codes.join(', ')} was due: ${error.message}`,
  )
}

/** One run of a scenario: a driver that calls `run` before its n-th call of an operation. */
export interface Interruption {
  /** For the messages of failed assertions. */
  readonly what: string
  /** A driver of its own process, whose next operation is interrupted. Closed after the run. */
  readonly open: (
    options: ChunkedDriverOptions,
    run: (call: StoreCall) => Promise<void>,
  ) => Promise<ChunkedBackupDriver>
}

/** Runs a scenario once for each call of the operation that its interrupted driver makes, and once more without. */
export async function atEachCall(
  fixture: Fixture,
  operation: StoreOperation,
  scenario: (interruption: Interruption) => Promise<void>,
): Promise<void> {
  let interrupted = true
  for (let nth = 1; interrupted; nth++) {
    interrupted = false
    const drivers: ChunkedBackupDriver[] = []
    const open: Interruption['open'] = async (options, run) => {
      const driver = new FaultyBackupDriver(await fixture.openUnowned(), {
        ...options,
        faults: [
          fault.run(operation, {
            nth,
            run: (call) => {
              interrupted = true
              return run(call)
            },
          }),
        ],
      })
      drivers.push(driver)
      return driver
    }
    try {
      await scenario({ what: `before call ${nth} of ${operation}`, open })
    } finally {
      for (const driver of drivers) await driver.close()
    }
  }
}
