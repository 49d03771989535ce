import { mkdir, open, readFile, readdir, rename, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { fileVolume } from '../../src/volume/file-volume.js'
import { limitFileSize } from '../../../../test-fixtures/limits/file-size-limit.js'
import { expectCode, pattern, useTemporaryDirectory, whole } from './support.js'

const inDirectory = useTemporaryDirectory()

describe('a new file as a target', () => {
  it('has the size of the volume, reads as zeros, and keeps what is written', async () => {
    const path = inDirectory('new.img')
    const target = await fileVolume(path).openTarget(whole(1000))
    expect(target.readsAsZeros).toBe(true)
    await Promise.all([target.write(pattern(100), 300), target.write(pattern(10, 2), 990)])
    await target.finish()
    await target.close()
    const expected = Buffer.alloc(1000)
    pattern(100).copy(expected, 300)
    pattern(10, 2).copy(expected, 990)
    expect(await readFile(path)).toEqual(expected)
  })

  it('is readable by its owner only, whatever the umask', async () => {
    const path = inDirectory('new.img')
    const before = process.umask(0)
    try {
      const target = await fileVolume(path).openTarget(whole(10))
      await target.finish()
      await target.close()
    } finally {
      process.umask(before)
    }
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('takes no disk space where it is not written', async () => {
    const path = inDirectory('sparse.img')
    const target = await fileVolume(path).openTarget(whole(2 ** 33))
    await target.write(pattern(4096), 2 ** 32)
    await target.finish()
    await target.close()
    const { size, blocks } = await stat(path)
    expect(size).toBe(2 ** 33)
    expect(blocks * 512).toBeLessThan(2 ** 20)
  })

  it('gets the size of the whole volume also when a part is restored', async () => {
    const path = inDirectory('part.img')
    const target = await fileVolume(path).openTarget(whole(1000, { partial: true, endBytes: 20 }))
    expect(target.readsAsZeros).toBe(true)
    await target.write(pattern(10), 10)
    await target.finish()
    await target.close()
    expect(await readFile(path)).toEqual(Buffer.concat([Buffer.alloc(10), pattern(10), Buffer.alloc(980)]))
  })

  it('is created for a volume of no bytes', async () => {
    const path = inDirectory('empty.img')
    const target = await fileVolume(path).openTarget(whole(0))
    await target.finish()
    await target.close()
    expect((await stat(path)).size).toBe(0)
  })

  it('is removed by discard', async () => {
    const target = await fileVolume(inDirectory('new.img')).openTarget(whole(1000))
    await target.write(pattern(100), 0)
    await target.close()
    await target.discard?.()
    expect(await readdir(inDirectory())).toEqual([])
    await target.discard?.()
  })

  it('is removed by discard after the working directory changed', async () => {
    const before = process.cwd()
    process.chdir(inDirectory())
    try {
      const target = await fileVolume('new.img').openTarget(whole(1000))
      process.chdir(before)
      await target.close()
      await target.discard?.()
    } finally {
      process.chdir(before)
    }
    expect(await readdir(inDirectory())).toEqual([])
  })

  it('has a temporary name until it is complete', async () => {
    const target = await fileVolume(inDirectory('new.img')).openTarget(whole(1000))
    await target.write(pattern(100), 0)
    expect(await readdir(inDirectory())).toEqual([
      expect.stringMatching(/^\.new\.img\.stowage-[0-9a-f]{24}-[0-9]+-[0-9]+-[0-9a-f]{12}\.partial$/),
    ])
    await target.finish()
    await target.close()
    expect(await readdir(inDirectory())).toEqual(['new.img'])
  })

  it('may have a name of the maximum length', async () => {
    const name = `${'ä'.repeat(127)}a`
    const target = await fileVolume(inDirectory(name)).openTarget(whole(10))
    await target.finish()
    await target.close()
    expect(await readdir(inDirectory())).toEqual([name])
  })

  it('neither replaces nor discards a file that has appeared under its name', async () => {
    const path = inDirectory('new.img')
    const target = await fileVolume(path).openTarget(whole(1000))
    await writeFile(path, 'other')
    const error = await expectCode(target.finish(), 'TARGET_NOT_EMPTY')
    expect(error.message).toContain('created by another program')
    await target.close()
    await target.discard?.()
    expect(await readdir(inDirectory())).toEqual(['new.img'])
    expect(await readFile(path, 'utf8')).toBe('other')
  })

  it('is created completely by exactly one of two concurrent restores', async () => {
    const path = inDirectory('new.img')
    const targets = await Promise.all([1, 2].map(() => fileVolume(path).openTarget(whole(1000))))
    await Promise.all(targets.map((target, index) => target.write(pattern(1000, index + 1), 0)))
    const ended = await Promise.allSettled(targets.map((target) => target.finish()))
    for (const target of targets) await target.close()
    const winner = ended.findIndex(({ status }) => status === 'fulfilled')
    expect(ended[1 - winner]).toMatchObject({ status: 'rejected', reason: { code: 'TARGET_NOT_EMPTY' } })
    await targets[1 - winner]?.discard?.()
    expect(await readFile(path)).toEqual(pattern(1000, winner + 1))
    expect(await readdir(inDirectory())).toEqual(['new.img'])
  })

  it('is not removed by discard when another file has taken its place', async () => {
    const path = inDirectory('new.img')
    const target = await fileVolume(path).openTarget(whole(1000))
    await target.finish()
    await writeFile(inDirectory('other'), 'other')
    await rename(inDirectory('other'), path)
    await target.close()
    await target.discard?.()
    expect(await readFile(path, 'utf8')).toBe('other')
  })

  it('is not created when create is false', async () => {
    const error = await expectCode(
      fileVolume(inDirectory('new.img'), { create: false }).openTarget(whole(10)),
      'TARGET_WRITE',
    )
    expect(error.message).toContain('Create it first')
    expect(await readdir(inDirectory())).toEqual([])
  })

  it('is refused in a missing directory, which the error names', async () => {
    const error = await expectCode(
      fileVolume(inDirectory('no/new.img')).openTarget(whole(10)),
      'TARGET_WRITE',
    )
    expect(error.message).toContain(`directory ${inDirectory('no')} does not exist.`)
  })

  it('is not left behind when the system does not allow a file of that size', async () => {
    const lift = limitFileSize(1000)
    try {
      const error = await expectCode(
        fileVolume(inDirectory('new.img')).openTarget(whole(1001)),
        'TARGET_TOO_SMALL',
      )
      expect(error.cause).toMatchObject({ code: 'EFBIG' })
    } finally {
      lift()
    }
    expect(await readdir(inDirectory())).toEqual([])
  })

  it('is not created after the signal is aborted', async () => {
    const requirements = whole(10, { signal: AbortSignal.abort() })
    await expectCode(fileVolume(inDirectory('new.img')).openTarget(requirements), 'ABORTED')
    expect(await readdir(inDirectory())).toEqual([])
  })

  it('refuses a write after it was closed, and may be closed twice', async () => {
    const target = await fileVolume(inDirectory('new.img')).openTarget(whole(10))
    await target.close()
    await target.close()
    await expectCode(target.write(pattern(1), 0), 'TARGET_WRITE')
  })
})

describe('an existing file as a target', () => {
  it('is refused unchanged without overwrite when it is not empty', async () => {
    const path = inDirectory('old.img')
    await writeFile(path, pattern(50))
    for (const partial of [true, false]) {
      const error = await expectCode(fileVolume(path).openTarget(whole(100, { partial })), 'TARGET_NOT_EMPTY')
      expect(error.message).toContain(`${path} exists and holds 50 bytes`)
    }
    expect(await readFile(path)).toEqual(pattern(50))
  })

  it('is accepted without overwrite when it is empty, with or without create', async () => {
    const path = inDirectory('empty.img')
    for (const create of [true, false]) {
      await writeFile(path, '')
      const target = await fileVolume(path, { create }).openTarget(whole(100))
      expect(target.readsAsZeros).toBe(true)
      await target.write(pattern(10), 90)
      await target.finish()
      await target.close()
      expect(await readFile(path)).toEqual(Buffer.concat([Buffer.alloc(90), pattern(10)]))
    }
  })

  it('is empty again after discard when it was empty before', async () => {
    const path = inDirectory('empty.img')
    await writeFile(path, '')
    const target = await fileVolume(path).openTarget(whole(100))
    await target.write(pattern(10), 0)
    await target.close()
    await target.discard?.()
    expect((await stat(path)).size).toBe(0)
  })

  it('is unchanged until the first write, and kept by discard', async () => {
    const path = inDirectory('old.img')
    await writeFile(path, pattern(500))
    const target = await fileVolume(path).openTarget(whole(100, { overwrite: true }))
    expect(target.readsAsZeros).toBe(false)
    await target.close()
    await target.discard?.()
    expect(await readFile(path)).toEqual(pattern(500))
  })

  it('has exactly the size of the volume at the end, whether it was longer or shorter', async () => {
    const path = inDirectory('old.img')
    for (const length of [500, 20]) {
      await writeFile(path, pattern(length))
      const target = await fileVolume(path).openTarget(whole(100, { overwrite: true }))
      await target.write(pattern(100, 2), 0)
      await target.finish()
      await target.close()
      expect(await readFile(path)).toEqual(pattern(100, 2))
    }
  })

  it('keeps the rest of what it holds when a part is restored', async () => {
    const path = inDirectory('old.img')
    await writeFile(path, pattern(500))
    const target = await fileVolume(path).openTarget(
      whole(300, { partial: true, endBytes: 20, overwrite: true }),
    )
    await target.write(pattern(10, 2), 10)
    await target.finish()
    await target.close()
    const expected = pattern(500)
    pattern(10, 2).copy(expected, 10)
    expect(await readFile(path)).toEqual(expected)
  })

  it('is extended as far as the restored part reaches', async () => {
    const path = inDirectory('old.img')
    await writeFile(path, pattern(20))
    const target = await fileVolume(path).openTarget(
      whole(300, { partial: true, endBytes: 60, overwrite: true }),
    )
    await target.write(pattern(10, 2), 40)
    await target.finish()
    await target.close()
    const expected = Buffer.alloc(60)
    pattern(20).copy(expected)
    pattern(10, 2).copy(expected, 40)
    expect(await readFile(path)).toEqual(expected)
  })

  it('is followed through a symbolic link, which stays a link', async () => {
    await writeFile(inDirectory('old.img'), pattern(50))
    await symlink('old.img', inDirectory('link'))
    const target = await fileVolume(inDirectory('link')).openTarget(whole(10, { overwrite: true }))
    await target.write(pattern(10, 2), 0)
    await target.finish()
    await target.close()
    expect(await readFile(inDirectory('old.img'))).toEqual(pattern(10, 2))
  })

  it('is not created through a dangling link', async () => {
    await symlink('nothing', inDirectory('link'))
    const error = await expectCode(fileVolume(inDirectory('link')).openTarget(whole(10)), 'TARGET_WRITE')
    expect(error.message).toContain('symbolic link to nothing')
    expect(await readdir(inDirectory())).toEqual(['link'])
  })

  it('is refused when it is a directory, a pipe or a character device', async () => {
    await mkdir(inDirectory('directory'))
    expect(spawnSync('mkfifo', [inDirectory('pipe')]).status).toBe(0)
    for (const path of [inDirectory('directory'), inDirectory('pipe'), '/dev/null']) {
      const error = await expectCode(
        fileVolume(path).openTarget(whole(10, { overwrite: true })),
        'NOT_A_FILE',
      )
      expect(error.message).toContain(path)
    }
  })

  it.runIf(process.getuid?.() !== 0)('is refused when this user may not write it', async () => {
    const path = inDirectory('old.img')
    await writeFile(path, '', { mode: 0o400 })
    const error = await expectCode(fileVolume(path).openTarget(whole(10)), 'TARGET_WRITE')
    expect(error.message).toContain('may not write it')
  })
})

describe('the descriptors of a file target', () => {
  it.runIf(process.platform === 'linux')('are closed on success and on every refusal', async () => {
    const path = inDirectory('old.img')
    const descriptors = async (): Promise<number> => (await readdir('/proc/self/fd')).length
    await (await open(path, 'w')).close()
    await truncate(path, 10)
    const before = await descriptors()
    await expectCode(fileVolume(path).openTarget(whole(10)), 'TARGET_NOT_EMPTY')
    await expectCode(fileVolume(inDirectory('no/x')).openTarget(whole(10)), 'TARGET_WRITE')
    const target = await fileVolume(inDirectory('new.img')).openTarget(whole(10))
    await target.finish()
    await target.close()
    const source = await fileVolume(path).openSource()
    await source.close()
    expect(await descriptors()).toBe(before)
  })
})
