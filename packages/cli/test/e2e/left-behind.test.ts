import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { BackupView } from '../../src/index.js'
import { errorOf, filesBelow, start, stowage, stowageJson } from './stowage.js'
import { noise, noticeAfterMs, store, useWorkbench } from './workbench.js'

const pieceBytes = 256 * 1024
const streamArgs = [
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

interface GcResult {
  readonly objectsRemoved: number
  readonly orphans: readonly { readonly kind: string; readonly outcome: string }[]
}

/** What is in the store, but for the mark that makes a directory one. */
async function objects(directory: string): Promise<string[]> {
  return (await filesBelow(directory)).filter((name) => name !== '.stowage-store')
}

describe('what a killed command left', { timeout: noticeAfterMs }, () => {
  const bench = useWorkbench()

  it('is found and removed by gc: objects, claim and temporary files of a backup (C1)', async () => {
    await stowage(bench.directory, ['init', ...store])
    const { child, ended } = start(bench.directory, [...streamArgs, '--backup-id', 'killed'])
    child.stdin.write(noise(1, 5 * pieceBytes))
    while ((await objects(bench.path('store'))).filter((name) => /-\d{5}$/.test(name)).length < 3)
      await delay(20)
    child.kill('SIGKILL')
    await ended

    const young = await stowageJson<GcResult>(bench.directory, ['gc', ...store])
    expect(young.objectsRemoved).toBe(0)
    expect(young.orphans.every(({ outcome }) => outcome === 'kept')).toBe(true)
    const dry = await stowageJson<GcResult>(bench.directory, [
      'gc',
      ...store,
      '--older-than',
      '0',
      '--dry-run',
    ])
    expect(dry.orphans.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['objects', 'claim']))
    expect(dry.orphans.every(({ outcome }) => outcome === 'found')).toBe(true)
    const human = await stowage(bench.directory, ['gc', ...store, '--older-than', '0', '--dry-run'])
    expect(human.stdout).toMatch(/^KIND .*\n(objects|claim|temporary) /)
    expect(human.stdout).toContain('A dry run: nothing was removed.')

    await stowageJson<GcResult>(bench.directory, ['gc', ...store, '--older-than', '0'])
    expect(await objects(bench.path('store'))).toEqual([])
    expect((await stowage(bench.directory, ['gc', ...store])).stdout).toBe('No orphans in posix:store.\n')
  })

  it('of a delete is finished by the next delete (C2)', async () => {
    await bench.write('disk.img', noise(1, 600 * 4096))
    const { id } = await stowageJson<BackupView>(bench.directory, [
      ...['backup', 'disk.img', ...store, '--create', '--container', 'c', '--compression', 'none'],
      ...['--chunk-size', '4096', '--block-size', '4096'],
    ])
    const { child, ended } = start(bench.directory, ['delete', id, ...store])
    const isMarked = async (): Promise<boolean> =>
      existsSync(bench.path('store/c')) &&
      (await readdir(bench.path('store/c'))).some((name) => name.startsWith('stowage-deleting_'))
    while (!(await Promise.race([isMarked(), ended.then(() => true)]))) await delay(1)
    child.kill('SIGKILL')
    await ended
    const again = await stowage(bench.directory, ['delete', id, ...store, '--json'])
    // On a machine that is fast enough there was nothing left to kill.
    if (again.exitCode !== 0) expect(errorOf(again).code).toBe('BACKUP_NOT_FOUND')
    // What was killed while it wrote has left a temporary file, which is gc's to remove.
    const left = (await objects(bench.path('store'))).filter((name) => !name.startsWith('.stowage-'))
    expect(left).toEqual([])
  })

  it('of damaged metadata is deleted with --force, which the error names (C2)', async () => {
    await bench.write('disk.img', noise(1, 10_000))
    const record = await stowageJson<BackupView>(bench.directory, [
      ...['backup', 'disk.img', ...store, '--create', '--container', 'c'],
    ])
    await bench.write(`store/c/${record.prefix}_metadata`, Buffer.from('{'))
    const refused = await stowage(bench.directory, ['delete', record.id, ...store])
    expect(refused).toMatchObject({ exitCode: 4 })
    expect(refused.stderr).toContain('add --force')
    expect(await stowage(bench.directory, ['delete', record.id, ...store, '--force'])).toMatchObject({
      exitCode: 0,
    })
    expect(await objects(bench.path('store'))).toEqual([])
  })
})
