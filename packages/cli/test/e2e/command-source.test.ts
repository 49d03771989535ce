import { readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { BackupView } from '../../src/index.js'
import { errorOf, filesBelow, start, stowage, stowageJson } from './stowage.js'
import type { Ended } from './stowage.js'
import { noise, noticeAfterMs, store, useWorkbench } from './workbench.js'

/** Every object in the store: none but those of backups that were committed. */
async function objectsIn(directory: string): Promise<string[]> {
  return (await filesBelow(directory)).filter((name) => !name.startsWith('.')).sort()
}

describe('a backup of what a command writes', { timeout: noticeAfterMs }, () => {
  const bench = useWorkbench()
  const disk = noise(1, 3_000_000)

  const fromCommand = ['backup', '--stdin-from-command', ...store, '--volume-id', 'vm']

  function backup(command: readonly string[], ...options: string[]): Promise<Ended> {
    return stowage(bench.directory, [...fromCommand, ...options, '--', ...command])
  }

  /** Expects a failure that leaves the store as it was. */
  async function failsWith(code: string, exitCode: number, run: () => Promise<Ended>): Promise<string> {
    const before = await objectsIn(bench.path('store'))
    const ended = await run()
    expect(ended).toMatchObject({ exitCode, stdout: '' })
    expect(ended.stderr).toContain(`code: ${code}`)
    expect(await objectsIn(bench.path('store'))).toEqual(before)
    return ended.stderr
  }

  it('restores to those bytes, and takes the arguments as they stand, without a shell', async () => {
    await bench.write('$HOME *.img', disk)
    const { exitCode, stdout } = await backup(['cat', '--', '$HOME *.img'], '--quiet')
    expect(exitCode).toBe(0)
    await stowageJson(bench.directory, ['restore', stdout.trim(), 'out.img', ...store])
    expect((await readFile(bench.path('out.img'))).equals(disk)).toBe(true)
  })

  it('is kept only if the command ends with 0, also as an incremental, and its messages are shown', async () => {
    await bench.write('disk.img', disk)
    expect(await backup(['cat', 'disk.img'])).toMatchObject({ exitCode: 0 })
    const dies = ['sh', '-c', 'cat disk.img; echo no space on the moon >&2; exit 3']
    const stderr = await failsWith('COMMAND_FAILED', 1, () => backup(dies, '--incremental'))
    expect(stderr).toContain('no space on the moon\n')
    expect(stderr).toContain('The command sh ended with exit code 3, expected 0.')
    const killed = ['sh', '-c', 'head -c 2000000 disk.img; kill -9 $$']
    expect(await failsWith('COMMAND_FAILED', 1, () => backup(killed))).toContain('was ended by SIGKILL')
    // What fails without a byte is a failed command, and no empty source.
    await failsWith('COMMAND_FAILED', 1, () => backup(['false'], '--allow-empty'))
    await failsWith('COMMAND_FAILED', 1, () => backup(['./no-such-program']))
    expect(await stowageJson<BackupView[]>(bench.directory, ['list', ...store])).toHaveLength(1)
  })

  it('waits for a command that has closed its stdout, and fails with it', async () => {
    await bench.write('disk.img', disk)
    const script = 'cat disk.img; exec >&-; echo > closed; while [ ! -e go-on ]; do sleep 0.05; done; exit 7'
    const running = failsWith('COMMAND_FAILED', 1, () => backup(['sh', '-c', script]))
    while (!existsSync(bench.path('closed'))) await delay(20)
    await writeFile(bench.path('go-on'), '')
    expect(await running).toContain('exit code 7')
  })

  it('does not wait for what a failed command has left running', async () => {
    const command = ['sh', '-c', 'sleep 3600 & echo $! > child; exit 1']
    await failsWith(
      'COMMAND_FAILED',
      1,
      () => start(bench.directory, [...fromCommand, '--', ...command]).ended,
    )
    process.kill(Number(await readFile(bench.path('child'), 'utf8')))
  })

  it('is refused when the command writes nothing', async () => {
    await failsWith('SOURCE_EMPTY', 5, () => backup(['true']))
    expect(await backup(['true'], '--allow-empty')).toMatchObject({ exitCode: 0 })
  })

  it('is refused when the command writes another number of bytes than --size', async () => {
    await bench.write('disk.img', disk)
    for (const size of ['2999999', '3000001']) {
      await failsWith('SOURCE_CHANGED', 1, () => backup(['cat', 'disk.img'], '--size', size))
    }
    expect(await backup(['cat', 'disk.img'], '--size', '3000000')).toMatchObject({ exitCode: 0 })
  })

  it('ends the command when it is interrupted, and leaves nothing', async () => {
    const script = 'trap "echo > ended; exit 0" TERM; echo > started; yes & while :; do wait; done'
    const args = [...fromCommand, '--chunk-size', '256K', '--', 'sh', '-c', script]
    const { child, ended } = start(bench.directory, args)
    while ((await objectsIn(bench.path('store'))).length === 0) await delay(20)
    child.kill('SIGINT')
    const outcome = await ended
    expect(outcome).toMatchObject({ exitCode: 130, stdout: '' })
    expect(outcome.stderr).toContain('code: ABORTED')
    expect(existsSync(bench.path('ended'))).toBe(true)
    expect(await objectsIn(bench.path('store'))).toEqual([])
  })

  it('shows the messages of the command as JSON with --json', async () => {
    const ended = await backup(['sh', '-c', 'printf "half \\033[2J line" >&2; exit 1'], '--json')
    const [first, ...rest] = ended.stderr.trimEnd().split('\n')
    expect(JSON.parse(first ?? '')).toEqual({ command: { stderr: 'half \u001b[2J line' } })
    expect(rest).toHaveLength(1)
    expect(errorOf(ended).code).toBe('COMMAND_FAILED')
  })
})

describe('a backup of a stream or file that is not what it was', { timeout: noticeAfterMs }, () => {
  const bench = useWorkbench()

  it('is refused where a pipeline died, and keeps the earlier backup as the newest', async () => {
    const args = ['backup', '-', ...store, '--volume-id', 'vm', '--incremental', '--json']
    const { id } = await stowageJson<BackupView>(bench.directory, args, { input: noise(1, 300_000) })
    for (const [size, code, exitCode, more] of [
      [0, 'SOURCE_EMPTY', 5, []],
      [95_000, 'SOURCE_SHRANK', 5, []],
      [200_000, 'SOURCE_CHANGED', 1, ['--size', '300000']],
    ] as const) {
      const ended = await stowage(bench.directory, [...args, ...more], { input: noise(1, size) })
      expect(ended).toMatchObject({ exitCode, stdout: '' })
      expect(errorOf(ended).code).toBe(code)
    }
    const listed = await stowageJson<BackupView[]>(bench.directory, ['list', ...store])
    expect(listed.map((backup) => backup.id)).toEqual([id])
    const allowed = await stowage(bench.directory, [...args, '--allow-shrink'], { input: noise(1, 95_000) })
    expect(allowed.exitCode).toBe(0)
    expect(allowed.stderr).toContain('"code":"SOURCE_SHRANK"')
  })

  it.runIf(process.platform === 'linux')('is refused of a file of /proc', async () => {
    const ended = await stowage(bench.directory, ['backup', '/proc/cpuinfo', ...store, '--json'])
    expect(ended.exitCode).toBe(2)
    expect(errorOf(ended)).toMatchObject({ code: 'NOT_A_FILE' })
  })
})
