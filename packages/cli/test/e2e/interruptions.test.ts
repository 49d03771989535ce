import { truncate } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { BackupView } from '../../src/index.js'
import { filesBelow, start, stowage, stowageJson } from './stowage.js'
import type { Running } from './stowage.js'
import { noise, noticeAfterMs, store, useWorkbench } from './workbench.js'

const pieceBytes = 256 * 1024
const backupArgs = [
  'backup',
  '-',
  ...store,
  '--volume-id',
  'vm',
  '--chunk-size',
  '256K',
  '--compression',
  'none',
]

describe('a backup that is interrupted', { timeout: noticeAfterMs }, () => {
  const bench = useWorkbench()

  /** A backup of a stream that has delivered some chunks, and delivers no more for now. */
  async function stalledBackup(pieces: number): Promise<Running> {
    const running = start(bench.directory, backupArgs)
    running.child.stdin.write(noise(1, pieces * pieceBytes))
    while (
      (await filesBelow(bench.path('store'))).filter((name) => /-\d{5}$/.test(name)).length <
      pieces - 1
    ) {
      await delay(20)
    }
    return running
  }

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('by %s leaves nothing behind, and ends with %d', async (signal, exitCode) => {
    const { child, ended } = await stalledBackup(4)
    child.kill(signal)
    const outcome = await ended
    expect(outcome).toMatchObject({ exitCode, stdout: '' })
    expect(outcome.stderr).toContain('code: ABORTED')
    expect(await filesBelow(bench.path('store'))).toEqual([])
    expect(await stowageJson(bench.directory, ['list', ...store])).toEqual([])
  })

  it(
    'by kill -9 at any moment leaves every earlier backup intact, and no half one in the list',
    async () => {
      const { directory } = bench
      const disk = noise(1, 8 * pieceBytes)
      const full = await stowageJson<BackupView>(directory, backupArgs, { input: disk })
      const kept = [full.id]
      for (let round = 0; round < 8; round++) {
        noise(round + 2, 40_000).copy(disk, round * pieceBytes)
        const { child, ended } = start(directory, [...backupArgs, '--incremental', '--quiet'])
        // Each round lets one more piece through; the last ones reach the hash list, the commit and the end.
        child.stdin.write(disk.subarray(0, (round + 1) * pieceBytes))
        const pauseMs = Math.random() * 400
        await delay(pauseMs)
        // Every other round dies in the middle for certain: its source has not ended yet.
        const isHalf = round % 2 === 0
        if (!isHalf) child.stdin.end(disk.subarray((round + 1) * pieceBytes))
        await delay(pauseMs * Math.random())
        child.kill('SIGKILL')
        await ended
        const listed = await stowageJson<BackupView[]>(directory, ['list', ...store])
        const ids = listed.map(({ id }) => id)
        expect(ids.slice(0, kept.length)).toEqual(kept)
        expect(ids.length - kept.length).toBeLessThanOrEqual(isHalf ? 0 : 1)
        // One that is listed is whole: what was committed before the kill is as good as any.
        kept.splice(0, kept.length, ...ids)
        const newest = kept.at(-1)!
        const verified = await stowage(directory, ['verify', newest, ...store, '--level', 'full'])
        expect({ round, pauseMs, ...verified }).toMatchObject({ exitCode: 0 })
      }
      for (const id of kept) {
        expect(await stowage(directory, ['verify', id, ...store, '--level', 'full'])).toMatchObject({
          exitCode: 0,
        })
      }
    },
    2 * noticeAfterMs,
  )

  it('by its source, which shrinks, leaves nothing behind, and ends with 1', async () => {
    await bench.write('disk.img', noise(1, 64 * pieceBytes))
    const args = ['backup', 'disk.img', ...store, '--chunk-size', '256K', '--concurrency', '2', '--json']
    const { child, ended } = start(bench.directory, args)
    child.stdin.end()
    while ((await filesBelow(bench.path('store'))).length === 0) await delay(1)
    await truncate(bench.path('disk.img'), 0)
    const { exitCode, stderr } = await ended
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('SOURCE_CHANGED') as string,
    })
    expect(await filesBelow(bench.path('store'))).toEqual([])
  })
})
