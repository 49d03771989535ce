import { BackupError, isAbort, isBackupError } from '@stowage/backup-core'
import type { BackupErrorCode } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { inspect } from 'node:util'

/** Asserts that the promise rejects with a BackupError of the code, and returns it. */
export async function rejectsWith(code: BackupErrorCode, promise: Promise<unknown>): Promise<BackupError> {
  const error = await rejection(promise)
  assert.ok(error !== undefined, `resolved, where ${code} was due`)
  assert.ok(
    isBackupError(error),
    `rejected with an error that is not a BackupError, expected ${code}: ${inspect(error)}`,
  )
  assert.equal(error.code, code, `rejected with ${error.code}, where ${code} was due: ${error.message}`)
  return error
}

/** Asserts that the promise rejects with an abort of the signal: with ABORTED, or in the web's own way. */
export async function rejectsAborted(signal: AbortSignal, promise: Promise<unknown>): Promise<void> {
  const error = await rejection(promise)
  assert.ok(error !== undefined, 'resolved, where ABORTED was due')
  const due = "ABORTED, the signal's reason, or an AbortError was due"
  assert.ok(isAbort(error, signal), `rejected with what is not an abort, where ${due}: ${inspect(error)}`)
}

/** Asserts that two runs of bytes are the same, without printing all of them. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array, what = 'the bytes'): void {
  assert.equal(actual.byteLength, expected.byteLength, `${what} have another length`)
  if (Buffer.compare(actual, expected) === 0) return
  const at = actual.findIndex((byte, index) => byte !== expected[index])
  assert.fail(`${what} differ, at byte ${at} first`)
}

/** What a promise rejects with; undefined when it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
    return undefined
  } catch (error) {
    return error ?? new Error('rejected with nothing')
  }
}
