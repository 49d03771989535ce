import { BackupError } from '@stowage/backup-core'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Output } from '../src/output/output.js'

const erase = '\r\u001b[2K'

/** An output on a clock that is set by hand. */
function stage(isTTY: boolean): {
  readonly output: Output
  readonly said: string[]
  readonly at: (nowMs: number) => void
} {
  const said: string[] = []
  let nowMs = 0
  const output = new Output(
    {
      stdin: Readable.from([]),
      stdout: { write: () => undefined },
      stderr: { write: (text) => said.push(text), isTTY, columns: 100 },
      env: {},
      nowMs: () => nowMs,
    },
    { json: false, quiet: false },
  )
  return {
    output,
    said,
    at: (ms) => {
      nowMs = ms
      output.tick()
    },
  }
}

const retry = (attempt: number, delayMs: number): Parameters<Output['retry']>[0] => ({
  operation: 'GET /v1/a/c',
  attempt,
  delayMs,
  error: new BackupError('STORE_UNAVAILABLE', 'GET /v1/a/c: connection refused'),
})

const progress = {
  phase: 'backup',
  done: 5,
  total: 10,
  percent: 50,
  transferredBytes: 0,
  objects: 0,
} as const

describe('a store that does not answer', () => {
  it('is named on a terminal after two seconds in which nothing moves, and until something does', () => {
    const { output, said, at } = stage(true)
    const listener = output.startProgress()
    at(1999)
    expect(said).toEqual([])
    at(3000)
    expect(said).toEqual([`${erase}no progress for 3 s; the store may not answer`])
    said.length = 0
    listener?.(progress)
    expect(said[0]).toBe(erase)
    expect(said[1]).toContain('backup    50%')
    said.length = 0
    at(4000)
    expect(said).toEqual([])
  })

  it('is not suspected while a step goes on that reports no progress, which is named', () => {
    const { output, said, at } = stage(true)
    const listener = output.startProgress()
    listener?.(progress)
    said.length = 0
    // At once, although the bar was drawn less than a tenth of a second ago: no other report may come.
    listener?.({ ...progress, step: 'store-hash-list' })
    expect(said.join('')).toMatch(/ 5 B of 10 B {2}storing the block hashes$/)
    said.length = 0
    at(3000)
    expect(said).toEqual([`${erase}storing the block hashes, for 3 s so far`])
    listener?.(progress)
    said.length = 0
    at(6000)
    expect(said).toEqual([`${erase}no progress for 3 s; the store may not answer`])
  })

  it('is not suspected where a command reports no progress, as a long list', () => {
    const { said, at } = stage(true)
    at(3000)
    expect(said).toEqual([`${erase}working with the store, for 3 s so far`])
  })

  it('is named with the retry that is waited for, counted down, then run', () => {
    const { output, said, at } = stage(true)
    output.retry(retry(2, 8000))
    at(1000)
    expect(said).toEqual([])
    at(4000)
    at(11_000)
    expect(said).toEqual([
      `${erase}waiting for the store: GET /v1/a/c (retry 2 in 4 s: connection refused)`,
      `${erase}waiting for the store: GET /v1/a/c (retry 2 running for 3 s: connection refused)`,
    ])
  })

  it('is taken off the screen before anything else is written, and at the end', () => {
    for (const use of [
      (output: Output) => {
        output.note('x')
      },
      (output: Output) => {
        output.warning({ code: 'DRIVER', message: 'x' })
      },
      (output: Output) => {
        output.endProgress()
      },
    ]) {
      const { output, said, at } = stage(true)
      at(3000)
      said.length = 0
      use(output)
      expect(said[0]).toBe(erase)
    }
  })

  it('is named in a log every ten seconds at most, as whole lines', () => {
    const { output, said, at } = stage(false)
    for (let second = 0; second <= 25; second += 1) {
      if (second === 1) output.retry(retry(1, 60_000))
      at(second * 1000)
    }
    expect(said).toEqual([
      'stowage: waiting for the store: GET /v1/a/c (retry 1 in 58 s: connection refused)\n',
      'stowage: waiting for the store: GET /v1/a/c (retry 1 in 48 s: connection refused)\n',
      'stowage: waiting for the store: GET /v1/a/c (retry 1 in 38 s: connection refused)\n',
    ])
  })

  it('is not suspected in a log because of a step of some seconds', () => {
    const { output, said, at } = stage(false)
    const listener = output.startProgress('the source or the store')
    for (let second = 1; second <= 9; second += 1) at(second * 1000)
    listener?.(progress)
    for (let second = 10; second <= 18; second += 1) at(second * 1000)
    expect(said).toEqual([])
    at(19_000)
    expect(said).toEqual(['stowage: no progress for 10 s; the source or the store may not answer\n'])
  })

  it('leaves out what a server said at length, and what would steer the terminal', () => {
    const { output, said, at } = stage(false)
    const error = new BackupError('STORE_FAILED', `<html>\u001b${'x'.repeat(5000)}`)
    output.retry({ ...retry(1, 9000), error })
    at(3000)
    expect(said[0]?.length).toBeLessThan(300)
    expect(said[0]).not.toContain('\u001b')
  })
})
