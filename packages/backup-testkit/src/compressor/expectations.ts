import assert from 'node:assert/strict'
import { isAbort, isBackupError } from '@stowage/backup-core'
import type { BackupErrorCode, Compressor } from '@stowage/backup-core'
import type { CompressorConformanceOptions } from './types.js'

/** Those that serve all tests of a run, by the options of the run. */
const kept = new WeakMap<CompressorConformanceOptions, Promise<Compressor>>()

/** Makes a compressor, hands it to `body`, and closes it whatever happened; or takes the one that is kept open. */
export async function withCompressor<T>(
  options: CompressorConformanceOptions,
  body: (compressor: Compressor) => T | Promise<T>,
): Promise<T> {
  if (options.keepOpen === true) {
    const keeping = kept.get(options) ?? Promise.resolve(options.create())
    kept.set(options, keeping)
    return await body(await keeping)
  }
  const compressor = await options.create()
  try {
    return await body(compressor)
  } finally {
    await compressor.close?.()
  }
}

/** Asserts that the bytes are the same, without printing a megabyte of them when they are not. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assert.ok(actual instanceof Uint8Array, `${what}: the result must be a Uint8Array`)
  assert.equal(actual.length, expected.length, `${what}: length in bytes`)
  if (Buffer.compare(actual, expected) === 0) return
  const offset = expected.findIndex((byte, index) => byte !== actual[index])
  assert.fail(`${what}: the first differing byte is at ${offset}`)
}

/** Asserts that `work` rejects with a BackupError of the given code, and that the message says something. */
export async function assertRejectsWith(
  code: BackupErrorCode,
  what: string,
  work: () => Promise<unknown>,
): Promise<void> {
  let result: unknown
  try {
    result = await work()
  } catch (error) {
    if (!isBackupError(error)) {
      assert.fail(`${what}: expected a BackupError with ${code}, got ${String(error)}`)
    }
    assert.equal(error.code, code, `${what}: code of "${error.message}"`)
    assert.notEqual(error.message.trim(), '', `${what}: the message is empty`)
    return
  }
  const length = result instanceof Uint8Array ? ` with ${result.length} bytes` : ''
  assert.fail(`${what}: expected ${code}, but it resolved${length}`)
}

/** Asserts that `work` rejects with an abort of the signal: with `ABORTED`, or in the web's own way. */
export async function assertAborted(
  signal: AbortSignal,
  what: string,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    const due = "ABORTED, the signal's reason, or an AbortError"
    assert.ok(isAbort(error, signal), `${what}: expected ${due}, got ${String(error)}`)
    return
  }
  assert.fail(`${what}: expected ABORTED, but it resolved`)
}
