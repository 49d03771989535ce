import assert from 'node:assert/strict'
import { isAbort, isBackupError } from '@stowage/backup-core'
import type { BackupErrorCode, Compressor, CompressOptions } from '@stowage/backup-core'
import type { CompressorConformanceOptions } from './types.js'

/** Makes a compressor, and passes it to `body`. */
export async function withCompressor<T>(
  options: CompressorConformanceOptions,
  body: (compressor: Compressor) => T | Promise<T>,
): Promise<T> {
  return body(await options.create())
}

/** Compresses bytes that every compressor must shrink. */
export async function mustCompress(
  compressor: Pick<Compressor, 'compress'>,
  bytes: Uint8Array,
  options?: CompressOptions,
): Promise<Uint8Array> {
  const compressed = await compressor.compress(bytes, options)
  assert.ok(compressed !== null, `${bytes.length} bytes that can shrink became null`)
  return compressed
}

/**
 * Asserts that a result of `compress` is null, or shorter than the input and decompresses to it. Null is stored raw, so
 * only a shorter result has to decompress.
 */
export async function assertSound(
  compressor: Compressor,
  input: Uint8Array,
  result: Uint8Array | null,
  what: string,
): Promise<void> {
  if (result === null) return
  assert.ok(result instanceof Uint8Array, `${what}: the result must be a Uint8Array or null`)
  const lengths = `${input.length} bytes became ${result.length}`
  assert.ok(
    result.length < input.length,
    `${what}: ${lengths}, and a result that is not shorter must be null`,
  )
  let output: Uint8Array
  try {
    output = await compressor.decompress(result, input.length)
  } catch (cause) {
    throw new assert.AssertionError({
      message: `${what}: ${lengths}, which do not decompress: ${String(cause)}`,
    })
  }
  assertSameBytes(output, input, what)
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
