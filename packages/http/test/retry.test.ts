import { BackupError, isBackupError, type RetryListener } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { AttemptFailure, retrying, type RetryReport } from '../src/retry.js'

const failure = (retry: 'never' | 'after-backoff' | 'immediately', waitMs?: number): AttemptFailure =>
  new AttemptFailure(new BackupError('STORE_UNAVAILABLE', 'Away.'), retry, { retryAfterMs: waitMs })

const reporting = (onRetry: RetryListener): RetryReport => ({ operation: 'a request', onRetry })

describe('retries', () => {
  it('wait twice as long each time, less at most half, and never longer than the ceiling', async () => {
    const delays: number[] = []
    const policy = { retries: 6, backoffMs: 2, maxBackoffMs: 16, deadlineMs: 60_000 }
    const attempt = (): Promise<never> => Promise.reject(failure('after-backoff'))
    await assert.rejects(
      retrying(
        policy,
        undefined,
        attempt,
        reporting(({ delayMs }) => delays.push(delayMs)),
      ),
      /Away\. Tried 7 times/,
    )
    for (const [index, delay] of delays.entries()) {
      const full = Math.min(16, 2 * 2 ** index)
      assert.ok(delay <= full && delay >= full / 2, `${delay} of ${full}`)
    }
    assert.equal(delays.length, 6)
  })

  it('never happen for what cannot get better', async () => {
    let attempts = 0
    const attempt = (): Promise<never> => {
      attempts += 1
      return Promise.reject(failure('never'))
    }
    await assert.rejects(
      retrying({ retries: 5, backoffMs: 1, maxBackoffMs: 1, deadlineMs: 1000 }, undefined, attempt),
    )
    assert.equal(attempts, 1)
  })

  it('obey the time that a server asks for, and give up at once where it lies past the deadline', async () => {
    const policy = { retries: 3, backoffMs: 1, maxBackoffMs: 1, deadlineMs: 5000 }
    const delays: number[] = []
    let attempts = 0
    const attempt = (): Promise<string> => {
      attempts += 1
      return attempts === 1 ? Promise.reject(failure('after-backoff', 30)) : Promise.resolve('done')
    }
    assert.equal(
      await retrying(
        policy,
        undefined,
        attempt,
        reporting(({ delayMs }) => delays.push(delayMs)),
      ),
      'done',
    )
    assert.deepEqual(delays, [30])
    const hours = (): Promise<never> => Promise.reject(failure('after-backoff', 3_600_000))
    await assert.rejects(retrying(policy, undefined, hours), /3600\.0 s, past the deadline/)
  })

  it('that a failure limits are counted apart from those of other failures', async () => {
    const policy = { retries: 6, backoffMs: 1, maxBackoffMs: 1, deadlineMs: 60_000 }
    const limited = new AttemptFailure(new BackupError('OBJECT_CORRUPT', 'Changed.'), 'after-backoff', {
      maxRetries: 2,
    })
    const run = async (failures: readonly AttemptFailure[]): Promise<number> => {
      let attempts = 0
      const attempt = (): Promise<string> => {
        const next = failures[attempts]
        attempts += 1
        return next ? Promise.reject(next) : Promise.resolve('done')
      }
      await retrying(policy, undefined, attempt).catch(() => undefined)
      return attempts
    }
    const away = failure('after-backoff')
    assert.equal(await run([away, away, away, limited, limited]), 6)
    assert.equal(await run([away, away, limited, limited, limited, limited]), 5)
  })

  it('continue where their listener throws', async () => {
    const policy = { retries: 1, backoffMs: 1, maxBackoffMs: 1, deadlineMs: 5000 }
    let attempts = 0
    const attempt = (): Promise<string> =>
      ++attempts === 1 ? Promise.reject(failure('after-backoff')) : Promise.resolve('done')
    const failing = reporting(() => {
      throw new Error('the terminal is gone')
    })
    assert.equal(await retrying(policy, undefined, attempt, failing), 'done')
  })

  it('end with ABORTED when their signal is aborted while they wait', async () => {
    const controller = new AbortController()
    const policy = { retries: 3, backoffMs: 60_000, maxBackoffMs: 60_000, deadlineMs: 600_000 }
    const attempt = (): Promise<never> => Promise.reject(failure('after-backoff'))
    const waiting = retrying(
      policy,
      controller.signal,
      attempt,
      reporting(() => {
        controller.abort()
      }),
    )
    await assert.rejects(waiting, (error) => isBackupError(error, 'ABORTED'))
  })
})
