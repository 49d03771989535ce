import { open, readFile, rm } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { BackupView } from '../../src/index.js'
import { errorOf, stowage, stowageJson } from './stowage.js'
import { noise, noticeAfterMs, store, useWorkbench } from './workbench.js'

describe('what the stowage command refuses', { timeout: noticeAfterMs }, () => {
  const bench = useWorkbench()

  async function backup(...options: string[]): Promise<BackupView> {
    return stowageJson<BackupView>(bench.directory, ['backup', 'disk.img', ...store, ...options])
  }

  async function fails(
    exitCode: number,
    code: string,
    args: readonly string[],
  ): Promise<Record<string, unknown>> {
    const ended = await stowage(bench.directory, [...args, ...store, '--json'])
    expect({ exitCode: ended.exitCode, stdout: ended.stdout }).toEqual({ exitCode, stdout: '' })
    const error = errorOf(ended)
    expect(error.code).toBe(code)
    return error
  }

  it('ends with 3 for a backup that is not there', async () => {
    for (const command of ['show', 'verify', 'delete', 'export']) {
      await fails(3, 'BACKUP_NOT_FOUND', [command, 'nobody-knows-it'])
    }
    await fails(3, 'BACKUP_NOT_FOUND', ['restore', 'nobody-knows-it', 'out.img'])
    expect((await stowage(bench.directory, ['show', 'x', ...store])).stderr).toContain('`stowage list` names')
  })

  it('ends with 5 for a target that holds something, and leaves it as it is', async () => {
    await bench.write('disk.img', noise(1, 100_000))
    const { id } = await backup()
    const precious = Buffer.from('precious')
    await bench.write('out.img', precious)
    await fails(5, 'TARGET_NOT_EMPTY', ['restore', id, 'out.img'])
    expect((await readFile(bench.path('out.img'))).equals(precious)).toBe(true)
    await stowageJson(bench.directory, ['restore', id, 'out.img', ...store, '--overwrite'])
    expect((await readFile(bench.path('out.img'))).equals(noise(1, 100_000))).toBe(true)
  })

  it('ends with 5 for a backup that others depend on, until they may go too', async () => {
    await bench.write('disk.img', noise(1, 100_000))
    const full = await backup()
    const next = await backup('--incremental')
    expect(await fails(5, 'HAS_DEPENDENTS', ['delete', full.id])).toMatchObject({ backupIds: [next.id] })
    expect(await stowageJson(bench.directory, ['list', ...store])).toHaveLength(2)
    expect(
      await stowageJson(bench.directory, ['delete', full.id, '--with-descendants', ...store]),
    ).toMatchObject({ deleted: [next.id, full.id] })
    expect(await stowageJson(bench.directory, ['list', ...store])).toEqual([])
  })

  it('ends with 5 for an id that is taken', async () => {
    await bench.write('disk.img', noise(1, 1000))
    await backup('--backup-id', 'mine')
    await fails(5, 'BACKUP_EXISTS', ['backup', 'disk.img', '--backup-id', 'mine'])
  })

  it('ends with 4 for a byte that has changed in the store, and names the object', async () => {
    await bench.write('disk.img', noise(1, 100_000))
    const { id, container, prefix } = await backup('--compression', 'none')
    const handle = await open(bench.path(`store/${container}/${prefix}-00001`), 'r+')
    await handle.write(Buffer.from('x'), 0, 1, 50_000)
    await handle.close()
    await stowageJson(bench.directory, ['verify', id, ...store, '--level', 'quick'])
    const { problems } = await fails(4, 'VERIFY_FAILED', ['verify', id, '--level', 'full'])
    expect(problems).toEqual([
      expect.objectContaining({ code: 'OBJECT_CORRUPT', objectName: `${prefix}-00001` }),
    ])
    await fails(4, 'OBJECT_CORRUPT', ['restore', id, 'out.img'])
    await expect(readFile(bench.path('out.img'))).rejects.toThrow('ENOENT')
  })

  it('ends with 4 for an object that is gone', async () => {
    await bench.write('disk.img', noise(1, 100_000))
    const { id, container, prefix } = await backup()
    await rm(bench.path(`store/${container}/${prefix}-00001`))
    await fails(4, 'VERIFY_FAILED', ['verify', id])
  })

  it('ends with 2 for a block size that does not divide the chunk size', async () => {
    await bench.write('disk.img', noise(1, 1000))
    const args = ['backup', 'disk.img', '--chunk-size', '100K', '--block-size', '32K']
    const { message } = await fails(2, 'OPTION_INVALID', args)
    expect(message).toBe(
      'Option --chunk-size is 102400: it must be a multiple of the block size, which is 32768 bytes.',
    )
  })

  it('ends with 3 for a parent that is not there, having written nothing', async () => {
    await bench.write('disk.img', noise(1, 1000))
    await fails(3, 'BACKUP_NOT_FOUND', ['backup', 'disk.img', '--parent', 'nobody'])
    expect(await stowageJson(bench.directory, ['list', ...store])).toEqual([])
  })
})
