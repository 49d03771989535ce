import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { stowageJson } from './stowage.js'
import type { BackupView } from '../../src/index.js'
import { noise, noticeAfterMs, store, useWorkbench } from './workbench.js'

const bin = fileURLToPath(new URL('../../dist/bin.js', import.meta.url))

/** Runs a line of shell in which `$STOWAGE` is the command. */
async function shell(
  cwd: string,
  line: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const { PATH = '', HOME = '' } = process.env
  return new Promise((resolve) => {
    execFile(
      'bash',
      ['-c', line],
      { cwd, env: { PATH, HOME, STOWAGE: `${process.execPath} ${bin}`, ...env } },
      (error, stdout, stderr) => {
        resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr })
      },
    )
  })
}

describe.runIf(process.platform === 'linux')('output that goes nowhere', { timeout: noticeAfterMs }, () => {
  const bench = useWorkbench()

  it.each(['list --json', 'export ID', '--help'])(
    'is one clear error of `stowage %s` when the disk is full',
    async (command) => {
      await bench.write('disk.img', noise(1, 1000))
      const { id } = await stowageJson<BackupView>(bench.directory, ['backup', 'disk.img', ...store])
      const line = `$STOWAGE ${command.replace('ID', id)} > /dev/full`
      const { exitCode, stderr } = await shell(bench.directory, line, { STOWAGE_STORE: 'posix:store' })
      expect(exitCode).toBe(1)
      expect(stderr).toContain('OUTPUT_FAILED')
      expect(stderr).toContain('ENOSPC')
      expect(stderr).not.toMatch(/^\s+at /m)
    },
  )

  it('fails the export of a record when stdout is closed, and not when it is discarded', async () => {
    await bench.write('disk.img', noise(1, 1000))
    const { id } = await stowageJson<BackupView>(bench.directory, ['backup', 'disk.img', ...store])
    const env = { STOWAGE_STORE: 'posix:store' }
    const closed = await shell(bench.directory, `$STOWAGE export ${id} >&-`, env)
    expect(closed.exitCode).toBe(1)
    expect(closed.stderr).toContain('code: OUTPUT_FAILED')
    expect(await shell(bench.directory, `$STOWAGE export ${id} > /dev/null`, env)).toMatchObject({
      exitCode: 0,
    })
  })

  it('is noted by list and show when stdout is closed, which looks like an output that is discarded (A8)', async () => {
    await bench.write('disk.img', noise(1, 1000))
    const { id } = await stowageJson<BackupView>(bench.directory, ['backup', 'disk.img', ...store])
    const env = { STOWAGE_STORE: 'posix:store' }
    for (const command of ['list', `show ${id}`]) {
      const note = 'stowage: stdout is closed or discarded: what this command prints is lost\n'
      expect(await shell(bench.directory, `$STOWAGE ${command} >&-`, env)).toMatchObject({
        exitCode: 0,
        stderr: note,
      })
      expect(await shell(bench.directory, `$STOWAGE ${command} > /dev/null`, env)).toMatchObject({
        exitCode: 0,
        stderr: '',
      })
    }
    // As Python's DEVNULL: the exit code is all that is wanted.
    expect(await shell(bench.directory, `$STOWAGE verify ${id} 1<> /dev/null`, env)).toMatchObject({
      exitCode: 0,
      stderr: '',
    })
  })

  it('is no fault when its reader has gone away', async () => {
    const line = 'set -o pipefail; $STOWAGE --help | true'
    expect(await shell(bench.directory, line)).toMatchObject({ exitCode: 0, stderr: '' })
  })

  it('does not hide the exit code when stderr takes nothing', async () => {
    const line = '$STOWAGE show nobody 2> /dev/full'
    expect(await shell(bench.directory, line, { STOWAGE_STORE: 'posix:store' })).toMatchObject({
      exitCode: 3,
    })
  })
})

describe('a process that must not end in silence', { timeout: noticeAfterMs }, () => {
  const bench = useWorkbench()

  /** Runs `stowage import -`, which reads stdin to its end, with a module loaded before it. */
  async function withModule(module: string, ...options: string[]): ReturnType<typeof shell> {
    await writeFile(bench.path('before.mjs'), module)
    const env = { STOWAGE_STORE: 'posix:store', NODE_OPTIONS: `--import ${bench.path('before.mjs')}` }
    return shell(bench.directory, `$STOWAGE import - ${options.join(' ')}`, env)
  }

  it.each([[], ['--json']])(
    'ends with 1 and a message when its operation never settles %s',
    async (...options) => {
      const never = `
      import { Readable } from 'node:stream'
      Object.defineProperty(process, 'stdin', { get: () => new Readable({ read() {} }) })`
      const { exitCode, stdout, stderr } = await withModule(never, ...options)
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
      expect(stderr).toContain('UNSETTLED')
      expect(stderr).toContain('the event loop is empty, but the operation has not ended')
    },
  )

  it.each([
    ['an error that nothing caught', 'setImmediate(() => { throw new Error("boom\\u001b[2J") })'],
    [
      'a rejection that nothing caught',
      'setImmediate(() => { void Promise.reject(new Error("boom\\u001b[2J")) })',
    ],
  ])('ends with 1 and a message for %s, without a stack', async (_what, cause) => {
    // Something to wait for, so that the operation is still running.
    const waits = `
      import { Readable } from 'node:stream'
      setInterval(() => {}, 1000)
      Object.defineProperty(process, 'stdin', { get: () => { ${cause}; return new Readable({ read() {} }) } })`
    const { exitCode, stderr } = await withModule(waits)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('stowage: Internal error: boom\uFFFD[2J\n')
    expect(stderr).toContain('code: UNEXPECTED')
    expect(stderr).not.toMatch(/^\s+at /m)
  })
})
