import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Output } from '../src/output/output.js'
import type { OutputMode } from '../src/output/output.js'

function outputFor(mode: OutputMode): {
  readonly output: Output
  readonly out: string[]
  readonly err: string[]
} {
  const out: string[] = []
  const err: string[] = []
  const output = new Output(
    {
      stdin: Readable.from([]),
      stdout: { write: (text) => out.push(text) },
      stderr: { write: (text) => err.push(text), isTTY: true, columns: 0 },
      env: {},
      nowMs: () => 0,
    },
    mode,
  )
  return { output, out, err }
}

const result = { json: { id: 'x' }, human: 'Backed up x.\n', quiet: 'x\n' }
const warning = { code: 'DRIVER', message: 'odd' } as const
const progress = {
  phase: 'backup',
  done: 5,
  total: 10,
  percent: 50,
  transferredBytes: 0,
  objects: 0,
} as const

describe('Output', () => {
  it('speaks to people: results, remarks, warnings, progress', () => {
    const { output, out, err } = outputFor({ json: false, quiet: false })
    output.note('hello')
    output.startProgress()!(progress)
    output.warning(warning)
    output.result(result)
    expect(out).toEqual(['Backed up x.\n'])
    expect(err[0]).toBe('stowage: hello\n')
    expect(err[1]).toContain('5 B of 10 B')
    // The bar is off the screen before the next line is written.
    expect(err.slice(2)).toEqual(['\r\u001b[2K', 'stowage: warning: odd (DRIVER)\n'])
  })

  it('gives a warning once, in the words of the command', () => {
    const { output, err } = outputFor({ json: false, quiet: false })
    const again = { code: 'DRIVER', message: 'Set backupSwiftCaCertFile instead.' } as const
    output.warning(again)
    output.warning(again)
    output.warning(warning)
    expect(err).toEqual([
      'stowage: warning: Set backup_swift_ca_cert_file instead. (DRIVER)\n',
      'stowage: warning: odd (DRIVER)\n',
    ])
  })

  it('speaks to programs in JSON alone, a document on stdout and a line a warning on stderr', () => {
    const { output, out, err } = outputFor({ json: true, quiet: false })
    output.note('hello')
    expect(output.startProgress()).toBeUndefined()
    output.warning(warning)
    output.result(result)
    expect(JSON.parse(out.join(''))).toEqual({ id: 'x' })
    expect(err.map((line) => JSON.parse(line) as unknown)).toEqual([{ warning }])
  })

  it('says with --quiet what a script needs, and still warns', () => {
    const { output, out, err } = outputFor({ json: false, quiet: true })
    output.note('hello')
    expect(output.startProgress()).toBeUndefined()
    output.warning(warning)
    output.result(result)
    expect(out).toEqual(['x\n'])
    expect(err).toEqual(['stowage: warning: odd (DRIVER)\n'])
  })

  it('shows no progress of an operation after its end', () => {
    const { output, err } = outputFor({ json: false, quiet: false })
    const listener = output.startProgress()!
    listener(progress)
    output.endProgress()
    const written = err.length
    listener(progress)
    expect(err).toHaveLength(written)
  })
})
