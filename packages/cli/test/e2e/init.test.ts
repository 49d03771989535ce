import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { BackupView } from '../../src/index.js'
import { errorOf, stowage, stowageJson } from './stowage.js'
import { noise, noticeAfterMs, store, useWorkbench } from './workbench.js'

describe('stowage init (point 3)', { timeout: noticeAfterMs }, () => {
  const bench = useWorkbench()
  const elsewhere = ['--store', 'posix:new/store/']

  it('makes a store, once', async () => {
    const { directory } = bench
    const made = await stowage(directory, ['init', ...elsewhere])
    expect(made).toMatchObject({ exitCode: 0, stdout: 'Made a store at posix:new/store/.\n', stderr: '' })
    const mark = await readFile(bench.path('new/store/.stowage-store'))
    expect(await stowageJson(directory, ['init', ...elsewhere])).toEqual({
      store: 'posix:new/store/',
      outcome: 'unchanged',
    })
    expect(await stowage(directory, ['init', ...elsewhere, '--quiet'])).toMatchObject({
      exitCode: 0,
      stdout: '',
    })
    expect(await readFile(bench.path('new/store/.stowage-store'))).toEqual(mark)
    expect(await stowageJson(directory, ['list', ...elsewhere])).toEqual([])
  })

  it('is what every other command asks for where there is no store, and none of them makes one', async () => {
    const { directory } = bench
    await bench.write('disk.img', noise(1, 1000))
    await mkdir(bench.path('mount-point'))
    const commands = [
      ['list'],
      ['show', 'some-id'],
      ['backup', 'disk.img'],
      ['restore', 'some-id', 'out.img'],
      ['verify', 'some-id'],
      ['delete', 'some-id'],
      ['export', 'some-id'],
    ]
    for (const command of commands) {
      for (const place of ['mount-point', 'nowhere']) {
        const ended = await stowage(directory, [...command, '--store', `posix:${place}`, '--json'])
        expect({ command, exitCode: ended.exitCode }).toEqual({ command, exitCode: 3 })
        const { code, message } = errorOf(ended)
        expect(code).toBe('STORE_MISSING')
        expect(message).toContain(`stowage init --store posix:${directory}/${place}`)
      }
    }
    expect((await readdir(directory)).sort()).toEqual(['disk.img', 'mount-point', 'store'])
    expect(await readdir(bench.path('mount-point'))).toEqual([])
  })

  it('is part of a backup with --create, which changes nothing in a store', async () => {
    const { directory } = bench
    await bench.write('disk.img', noise(1, 1000))
    for (const count of [1, 2]) {
      await stowageJson<BackupView>(directory, ['backup', 'disk.img', ...elsewhere, '--create'])
      expect(await stowageJson(directory, ['list', ...elsewhere])).toHaveLength(count)
    }
  })

  it('refuses a directory with other files, and so does --create', async () => {
    const { directory } = bench
    await bench.write('disk.img', noise(1, 1000))
    await mkdir(bench.path('photos'))
    await writeFile(bench.path('photos/cat.jpg'), 'cat')
    for (const command of [['init'], ['backup', 'disk.img', '--create']]) {
      const ended = await stowage(directory, [...command, '--store', 'posix:photos', '--json'])
      expect(ended.exitCode).toBe(5)
      expect(errorOf(ended).code).toBe('CONFLICT')
    }
    expect(await readdir(bench.path('photos'))).toEqual(['cat.jpg'])
  })

  it('is not needed for a store that comes back', async () => {
    const { directory } = bench
    await bench.write('disk.img', noise(1, 1000))
    await stowageJson(directory, ['backup', 'disk.img', ...store])
    await rename(bench.path('store'), bench.path('unmounted'))
    expect((await stowage(directory, ['backup', 'disk.img', ...store])).exitCode).toBe(3)
    await rename(bench.path('unmounted'), bench.path('store'))
    await stowageJson(directory, ['backup', 'disk.img', ...store])
    expect(await stowageJson(directory, ['list', ...store])).toHaveLength(2)
  })
})
