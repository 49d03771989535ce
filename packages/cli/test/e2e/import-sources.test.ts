import { execFile } from 'node:child_process'
import { mkdir, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { BackupView } from '../../src/index.js'
import { errorOf, start, stowage, stowageJson } from './stowage.js'
import { noise, noticeAfterMs, store, useWorkbench } from './workbench.js'

describe.runIf(process.platform === 'linux')('what stowage import reads', { timeout: noticeAfterMs }, () => {
  const bench = useWorkbench()

  async function fifo(): Promise<string> {
    await promisify(execFile)('mkfifo', [bench.path('record.fifo')])
    return bench.path('record.fifo')
  }

  it('may be a pipe (A8)', async () => {
    await bench.write('disk.img', noise(1, 1000))
    const { id } = await stowageJson<BackupView>(bench.directory, ['backup', 'disk.img', ...store])
    const { stdout } = await stowage(bench.directory, ['export', id, ...store])
    const path = await fifo()
    const { ended } = start(bench.directory, ['import', path, ...store])
    await bench.write('record.fifo', Buffer.from(stdout))
    expect(await ended).toMatchObject({ exitCode: 0, stderr: '' })
  })

  it('may be a pipe that nothing is written to, which the first SIGINT ends (A8)', async () => {
    const path = await fifo()
    const { child, ended } = start(bench.directory, ['import', path, '--json', ...store])
    // Waits for the command to open the other end.
    const writer = await open(path, 'w')
    child.kill('SIGINT')
    const outcome = await ended
    await writer.close()
    expect(outcome).toMatchObject({ exitCode: 130, signal: null })
    expect(errorOf(outcome).code).toBe('ABORTED')
  })

  it('is refused when it never ends, without being read to memory (A8)', async () => {
    const { child, ended } = start(bench.directory, ['import', '-', '--json', ...store])
    const piece = Buffer.alloc(64 * 1024, 0x20)
    const feed = (): void => {
      while (child.stdin.writable && child.stdin.write(piece));
    }
    child.stdin.on('drain', feed)
    feed()
    const outcome = await ended
    expect(outcome.exitCode).toBe(4)
    expect(errorOf(outcome)).toMatchObject({
      code: 'RECORD_INVALID',
      message: 'stdin has more than 2097152 bytes: no record is that long.',
    })
  })

  it('is refused when it is a directory, a device or not there (A8)', async () => {
    await mkdir(bench.path('directory'))
    for (const [path, code, exitCode] of [
      [bench.path('directory'), 'NOT_A_FILE', 2],
      ['/dev/zero', 'NOT_A_FILE', 2],
      [bench.path('nothing'), 'SOURCE_NOT_FOUND', 3],
    ] as const) {
      const outcome = await stowage(bench.directory, ['import', path, '--json', ...store])
      expect(outcome.exitCode).toBe(exitCode)
      expect(errorOf(outcome)).toMatchObject({ code, message: expect.stringContaining(path) as string })
    }
  })
})
