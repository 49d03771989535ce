import { PosixBackupDriver } from '@stowage/backup-posix'
import { readdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorOf, filesBelow, stowage, stowageJson } from './stowage.js'
import { noise, noticeAfterMs, store, useWorkbench } from './workbench.js'

interface CopyJson {
  readonly backups: readonly { readonly id: string; readonly outcome: string; readonly container: string }[]
  readonly objectsCopied: number
  readonly objectsKept: number
  readonly transferredBytes: number
}

interface DryRunJson {
  readonly dryRun: boolean
  readonly missing: readonly { readonly id: string }[]
  readonly different: readonly { readonly id: string }[]
}

const to = ['--to', 'posix:second']
const images = [1, 2].map((seed) => Buffer.concat([noise(seed, 300_000), Buffer.alloc(100_000)]))

describe('stowage copy', { timeout: noticeAfterMs }, () => {
  const bench = useWorkbench()

  /** `full-1` of volume vm, `inc-1` on it, and `full-2` of another volume. */
  async function backUp(): Promise<void> {
    await bench.write('a.img', images[0]!)
    await bench.write('b.img', images[1]!)
    for (const [image, volume, id, ...more] of [
      ['a.img', 'vm', 'full-1'],
      ['b.img', 'vm', 'inc-1', '--parent', 'full-1'],
      ['a.img', 'other', 'full-2'],
    ] as const) {
      const args = ['backup', image, ...store, '--volume-id', volume, '--backup-id', id, ...more]
      expect(await stowage(bench.directory, args)).toMatchObject({ exitCode: 0 })
    }
  }

  it('copies a backup and its chain into a store that it creates, and says so', async () => {
    await backUp()
    const { exitCode, stdout } = await stowage(bench.directory, [
      'copy',
      'inc-1',
      ...store,
      ...to,
      '--create',
    ])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^Copied 2 backups to posix:second: \d+ objects, .* in .*\.\n$/)
    expect(
      await stowage(bench.directory, ['restore', 'inc-1', 'r.img', '--store', 'posix:second']),
    ).toMatchObject({
      exitCode: 0,
    })
    expect(Buffer.compare(await readFile(bench.path('r.img')), images[1]!)).toBe(0)
    const again = await stowage(bench.directory, ['copy', 'inc-1', ...store, ...to])
    expect(again.stdout).toBe('Nothing to copy: posix:second has all of it.\n')
  })

  it('lists with --dry-run what the other store lacks, and copies it with --all', async () => {
    await backUp()
    await stowage(bench.directory, ['copy', 'full-1', ...store, ...to, '--create'])
    const files = await filesBelow(bench.path('second'))
    const dry = await stowageJson<DryRunJson>(bench.directory, [
      'copy',
      '--all',
      '--dry-run',
      ...store,
      ...to,
    ])
    expect(dry.missing.map(({ id }) => id).sort()).toEqual(['full-2', 'inc-1'])
    const one = await stowage(bench.directory, ['copy', 'inc-1', '--dry-run', '--quiet', ...store, ...to])
    expect(one.stdout).toBe('inc-1\n')
    const human = await stowage(bench.directory, ['copy', '--all', '--dry-run', ...store, ...to])
    expect(human.stdout).toMatch(/^BACKUP .*\n(inc-1|full-2) /)
    expect(await filesBelow(bench.path('second'))).toEqual(files)

    const copied = await stowageJson<CopyJson>(bench.directory, ['copy', '--all', ...store, ...to])
    expect(copied.backups.map(({ id, outcome }) => `${id} ${outcome}`).sort()).toEqual([
      'full-1 present',
      'full-2 copied',
      'inc-1 copied',
    ])
    expect(copied.transferredBytes).toBeGreaterThan(0)
    await using driver = new PosixBackupDriver({ path: bench.path('second') })
    expect((await driver.listBackups()).map(({ id }) => id).sort()).toEqual(['full-1', 'full-2', 'inc-1'])
  })

  it('selects a volume and a date, and the container of the copies', async () => {
    await backUp()
    const args = ['copy', '--all', ...store, ...to, '--create']
    expect(
      (await stowageJson<CopyJson>(bench.directory, [...args, '--since', '2999-01-01'])).backups,
    ).toEqual([])
    const ofVolume = [...args, '--volume-id', 'other', '--container', 'offsite']
    const { backups } = await stowageJson<CopyJson>(bench.directory, ofVolume)
    expect(backups).toMatchObject([{ id: 'full-2', outcome: 'copied', container: 'offsite' }])
  })

  it('copies the others where one is damaged, and exits with an error that names the object', async () => {
    await backUp()
    const files = await filesBelow(bench.path('store'))
    const chunk = files.find((name) => name.endsWith('full-2-00001'))!
    const path = (await paths(bench.path('store'))).find((one) => one.endsWith(chunk))!
    const bytes = await readFile(path)
    bytes[0]! ^= 0xff
    await unlink(path)
    await writeFile(path, bytes)
    const ended = await stowage(bench.directory, ['copy', '--all', ...store, ...to, '--create', '--json'])
    expect(ended.exitCode).toBe(4)
    expect(errorOf(ended)).toMatchObject({
      code: 'COPY_INCOMPLETE',
      problems: [expect.objectContaining({ backupId: 'full-2', code: 'OBJECT_CORRUPT' })],
    })
    await using driver = new PosixBackupDriver({ path: bench.path('second') })
    expect((await driver.listBackups()).map(({ id }) => id)).toEqual(['full-1', 'inc-1'])
  })

  it.each([
    ['without --to', ['copy', 'x', ...store]],
    ['without a backup and without --all', ['copy', ...store, ...to]],
    ['with both', ['copy', 'x', '--all', ...store, ...to]],
    ['with --since but not --all', ['copy', 'x', '--since', '2026-01-01', ...store, ...to]],
    ['with a date that is none', ['copy', '--all', '--since', 'yesterday', ...store, ...to]],
    ['to what is not a store', ['copy', '--all', ...store, '--to', 'second']],
  ])('is a usage error %s, and does nothing', async (_, args) => {
    const { exitCode, stderr } = await stowage(bench.directory, args)
    expect(exitCode).toBe(2)
    expect(stderr).toContain('code: USAGE')
  })
})

async function paths(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.map((entry) => join(entry.parentPath, entry.name))
}
