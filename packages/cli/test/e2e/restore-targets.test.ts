import { existsSync } from 'node:fs'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { BackupView } from '../../src/index.js'
import { errorOf, start, stowage, stowageJson } from './stowage.js'
import type { Running } from './stowage.js'
import { noise, noticeAfterMs, store, useWorkbench } from './workbench.js'

/** A module that lets a process write once, and holds each later write back until the file `go-on` is there. */
const stall = `
  import { existsSync, writeFileSync } from 'node:fs'
  import { open } from 'node:fs/promises'
  import { setTimeout as delay } from 'node:timers/promises'
  const handle = await open('/dev/null')
  const prototype = Object.getPrototypeOf(handle)
  await handle.close()
  const { write } = prototype
  let count = 0
  prototype.write = async function (...args) {
    count += 1
    if (count === 2) writeFileSync('has-written', '')
    while (count > 1 && !existsSync('go-on')) await delay(5)
    return write.apply(this, args)
  }`

describe('the file that a restore writes', { timeout: noticeAfterMs }, () => {
  const bench = useWorkbench()
  const sizeBytes = 6 * 1024 * 1024
  const disks = [noise(1, sizeBytes), noise(2, sizeBytes)] as const

  async function backups(): Promise<readonly string[]> {
    const ids: string[] = []
    for (const [index, disk] of disks.entries()) {
      await bench.write('disk.img', disk)
      const args = ['backup', 'disk.img', ...store, '--volume-id', `v${index}`, '--chunk-size', '1M']
      ids.push((await stowageJson<BackupView>(bench.directory, [...args, '--compression', 'none'])).id)
    }
    return ids
  }

  /** Starts a restore that writes, and then waits in its writes until the file `go-on` is there. */
  async function stalledRestore(id: string, ...options: string[]): Promise<Running> {
    await writeFile(bench.path('stall.mjs'), stall)
    const env = { NODE_OPTIONS: `--import ${bench.path('stall.mjs')}` }
    const running = start(bench.directory, ['restore', id, 'r.img', ...store, ...options], env)
    while (!existsSync(bench.path('has-written'))) await delay(5)
    return running
  }

  const namesBeside = async (): Promise<string[]> =>
    (await readdir(bench.directory))
      .filter((name) => !['store', 'disk.img', 'stall.mjs', 'has-written', 'go-on'].includes(name))
      .sort()

  it('is one of the two volumes, whole, when two restores begin at the same time', async () => {
    const ids = await backups()
    for (const [target, prepare] of [
      ['new.img', false],
      ['old.img', true],
    ] as const) {
      if (prepare) await bench.write(target, noise(3, sizeBytes))
      const runs = await Promise.all(
        ids.map(
          (id) => start(bench.directory, ['restore', id, target, ...store, '--overwrite', '--json']).ended,
        ),
      )
      const restored = await readFile(bench.path(target))
      expect(disks.some((disk) => disk.equals(restored))).toBe(true)
      const failed = runs.filter(({ exitCode }) => exitCode !== 0)
      // One after the other is right too: both succeed, and the later one is there.
      expect(failed.length).toBeLessThanOrEqual(1)
      for (const run of failed) {
        expect(run.exitCode).toBe(5)
        expect(['TARGET_BUSY', 'TARGET_NOT_EMPTY']).toContain(errorOf(run).code)
      }
    }
    expect(await namesBeside()).toEqual(['new.img', 'old.img'])
  })

  it('survives the interruption of another restore into it', async () => {
    const [first = '', second = ''] = await backups()
    const slow = await stalledRestore(first)
    const other = await stowage(bench.directory, ['restore', second, 'r.img', ...store, '--overwrite'])
    expect(other.exitCode).toBe(0)
    slow.child.kill('SIGINT')
    await bench.write('go-on', Buffer.from(''))
    expect(await slow.ended).toMatchObject({ exitCode: 130 })
    expect((await readFile(bench.path('r.img'))).equals(disks[1])).toBe(true)
    expect(await namesBeside()).toEqual(['r.img'])
  })

  it('does not exist after a kill -9, but for a temporary name, which a later restore removes (A8)', async () => {
    const [first = ''] = await backups()
    const { child, ended } = await stalledRestore(first)
    child.kill('SIGKILL')
    await ended
    expect(await namesBeside()).toEqual([expect.stringMatching(/^\.r\.img\.stowage-[0-9a-f-]+\.partial$/)])
    const again = await stowage(bench.directory, ['restore', first, 'r.img', ...store])
    expect(again.exitCode).toBe(0)
    expect(again.stderr).toContain('was removed. (RESTORE_INCOMPLETE)')
    expect((await readFile(bench.path('r.img'))).equals(disks[0])).toBe(true)
    expect(await namesBeside()).toEqual(['r.img'])
  })

  it('is marked after a kill -9 in place, is not backed up, and the next restore mends it with a warning', async () => {
    const [first = ''] = await backups()
    await bench.write('r.img', noise(3, sizeBytes))
    const { child, ended } = await stalledRestore(first, '--overwrite')
    const busy = await stowage(bench.directory, [
      'restore',
      first,
      'r.img',
      ...store,
      '--overwrite',
      '--json',
    ])
    expect(busy.exitCode).toBe(5)
    expect(errorOf(busy).code).toBe('TARGET_BUSY')
    child.kill('SIGKILL')
    await ended
    expect(await namesBeside()).toEqual(['.r.img.stowage-restoring', 'r.img'])
    const backup = await stowage(bench.directory, ['backup', 'r.img', ...store, '--json'])
    expect(backup.exitCode).toBe(5)
    expect(errorOf(backup)).toMatchObject({ code: 'SOURCE_INCOMPLETE' })
    const again = await stowage(bench.directory, ['restore', first, 'r.img', ...store, '--overwrite'])
    expect(again.exitCode).toBe(0)
    expect(again.stderr).toContain('(RESTORE_INCOMPLETE)')
    expect((await readFile(bench.path('r.img'))).equals(disks[0])).toBe(true)
    expect(await namesBeside()).toEqual(['r.img'])
  })

  it('is never an object of the store that it comes from', async () => {
    const [first = ''] = await backups()
    const { container, prefix } = await stowageJson<BackupView>(bench.directory, ['show', first, ...store])
    const object = `store/${container}/${prefix}-00001`
    const run = await stowage(bench.directory, ['restore', first, object, ...store, '--overwrite', '--json'])
    expect(run.exitCode).toBe(2)
    expect(errorOf(run).code).toBe('OPTION_INVALID')
    expect(await stowage(bench.directory, ['verify', first, ...store, '--level', 'full'])).toMatchObject({
      exitCode: 0,
    })
  })
})
