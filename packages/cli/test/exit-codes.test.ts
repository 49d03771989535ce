import { BackupError } from '@stowage/backup-core'
import type { BackupErrorCode } from '@stowage/backup-core'
import { describe, expect, it } from 'vitest'
import { errorJson, errorText, reportOf } from '../src/output/errors.js'
import { SignalAbort } from '../src/signals.js'

describe('the exit code of a failure', () => {
  it.each<[BackupErrorCode, number]>([
    ['OPTION_INVALID', 2],
    ['BACKUP_NOT_FOUND', 3],
    ['CONTAINER_MISSING', 3],
    ['STORE_MISSING', 3],
    ['VERIFY_FAILED', 4],
    ['OBJECT_MISSING', 4],
    ['OBJECT_CORRUPT', 4],
    ['METADATA_INVALID', 4],
    ['CHAIN_INVALID', 4],
    ['HAS_DEPENDENTS', 5],
    ['TARGET_NOT_EMPTY', 5],
    ['TARGET_BUSY', 5],
    ['BACKUP_EXISTS', 5],
    ['MEMORY_LIMIT', 5],
    ['BLOCK_SIZE_CHANGED', 5],
    ['SOURCE_READ', 1],
    ['NO_SPACE', 1],
    ['COMPRESSION_UNKNOWN', 1],
    ['ABORTED', 130],
  ])('of %s is %d', async (code, exitCode) => {
    expect((await reportOf(new BackupError(code, 'It failed.'))).exitCode).toBe(exitCode)
  })

  it.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('after %s is %d', async (name, exitCode) => {
    const signal = AbortSignal.abort(new SignalAbort(name))
    expect((await reportOf(new BackupError('ABORTED', 'Aborted.'), signal)).exitCode).toBe(exitCode)
  })

  it('of a failure that is nobody’s own is 1, under the code that it brought', async () => {
    const error = Object.assign(new Error('no such thing'), { code: 'ENOTDIR' })
    expect(await reportOf(error)).toEqual({ code: 'ENOTDIR', message: 'no such thing', exitCode: 1 })
  })
})

describe('the words of a failure', () => {
  it('say what happened, what to type next, and the code', async () => {
    const error = new BackupError('BLOCK_SIZE_CHANGED', 'The block size has changed.')
    expect(errorText(await reportOf(error))).toBe(
      'stowage: The block size has changed.\n' +
        '  hint: Leave --block-size out to keep the one of the parent.\n' +
        '  code: BLOCK_SIZE_CHANGED\n',
    )
  })

  it('say once what to do where the engine says it', async () => {
    const message =
      'Cannot delete backup a: 1 incremental(s) depend on it: b. Delete those first, or set `withDescendants`.'
    expect(errorText(await reportOf(new BackupError('HAS_DEPENDENTS', message)))).toBe(
      'stowage: Cannot delete backup a: 1 incremental(s) depend on it: b. Delete those first, or add --with-descendants.\n' +
        '  code: HAS_DEPENDENTS\n',
    )
  })

  it('say once what each of several faults is', async () => {
    const problems = ['one is gone', 'two is gone', 'three is gone', 'four is gone'].map((message) => ({
      code: 'OBJECT_MISSING' as const,
      message,
    }))
    const message =
      'Backup b has 4 fault(s): one is gone; two is gone; three is gone (and 1 more). Make a new one.'
    expect(errorText(await reportOf(new BackupError('VERIFY_FAILED', message, { problems })))).toBe(
      'stowage: Backup b has 4 fault(s). Make a new one.\n' +
        problems.map((problem) => `  - ${problem.message} (OBJECT_MISSING)\n`).join('') +
        '  code: VERIFY_FAILED\n',
    )
  })

  it('do not repeat the only fault', async () => {
    const problems = [{ code: 'OBJECT_MISSING' as const, message: 'x is gone' }]
    const error = new BackupError('OBJECT_MISSING', 'x is gone: nothing was restored.', { problems })
    expect(errorText(await reportOf(error))).toBe(
      'stowage: x is gone: nothing was restored.\n  code: OBJECT_MISSING\n',
    )
  })

  it('name every fault that a verification found, up to twenty', async () => {
    const problems = Array.from({ length: 23 }, (_, index) => ({
      code: 'OBJECT_MISSING' as const,
      message: `Object ${String(index)} is gone.`,
    }))
    const report = await reportOf(new BackupError('VERIFY_FAILED', 'It is damaged.', { problems }))
    expect(errorText(report)).toContain('  - Object 19 is gone. (OBJECT_MISSING)\n  - and 3 more\n')
    const parsed = JSON.parse(errorJson(report)) as { error: { problems: unknown[]; code: string } }
    expect(parsed.error.problems).toHaveLength(23)
    expect(parsed.error.code).toBe('VERIFY_FAILED')
  })

  it('cannot steer the terminal', async () => {
    const report = await reportOf(new BackupError('STORE_FAILED', 'It said \u001b[2Jhello.'))
    expect(errorText(report)).toContain('It said \uFFFD[2Jhello.')
  })
})
