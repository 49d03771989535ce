import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, chmod, mkdir, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { fileVolume } from '../../src/volume/file-volume.js'
import { expectCode, expectThrown, pattern, readAll, useTemporaryDirectory } from './support.js'

const inDirectory = useTemporaryDirectory()

describe('a file as a source', () => {
  it('has the size of the file, and reads at any offset concurrently', async () => {
    const path = inDirectory('disk.img')
    const content = pattern(1000)
    await writeFile(path, content)
    const source = await fileVolume(path).openSource()
    expect(source.sizeBytes).toBe(1000)
    expect(source.seekable).toBe(true)
    const reads = [900, 0, 450].map(async (offset) => {
      const into = Buffer.alloc(100)
      expect(await source.read(into, offset)).toBe(100)
      return into.equals(content.subarray(offset, offset + 100))
    })
    expect(await Promise.all(reads)).toEqual([true, true, true])
    expect(await source.changeWarning?.()).toBeUndefined()
    await source.close()
  })

  it('reads fewer bytes only at the end of the volume, and none past it', async () => {
    const path = inDirectory('disk.img')
    await writeFile(path, pattern(100))
    const source = await fileVolume(path).openSource()
    const into = Buffer.alloc(64, 7)
    expect(await source.read(into, 64)).toBe(36)
    expect(into.subarray(36).every((byte) => byte === 7)).toBe(true)
    expect(await source.read(into, 100)).toBe(0)
    expect(await source.read(into, 200)).toBe(0)
    await source.close()
  })

  it('backs up an empty file as a volume of no bytes', async () => {
    const path = inDirectory('empty.img')
    await writeFile(path, '')
    const source = await fileVolume(path).openSource()
    expect(source.sizeBytes).toBe(0)
    expect(await source.read(Buffer.alloc(1), 0)).toBe(0)
    await source.close()
  })

  it('fills a buffer larger than one system call takes', async () => {
    const path = inDirectory('large.img')
    await writeFile(path, 'start')
    await truncate(path, 20 * 1024 * 1024)
    await appendFile(path, 'end')
    const source = await fileVolume(path).openSource()
    const into = Buffer.alloc(20 * 1024 * 1024 + 3, 1)
    expect(await source.read(into, 0)).toBe(into.length)
    expect(into.toString('latin1', 0, 6)).toBe('start\0')
    expect(into.toString('latin1', into.length - 4)).toBe('\0end')
    await source.close()
  })

  it('follows a symbolic link', async () => {
    await writeFile(inDirectory('disk.img'), pattern(10))
    await symlink('disk.img', inDirectory('link'))
    const source = await fileVolume(inDirectory('link')).openSource()
    expect(await readAll(source)).toEqual(pattern(10))
    await source.close()
  })

  it('reports a missing file with its path', async () => {
    const path = inDirectory('missing.img')
    const error = await expectCode(fileVolume(path).openSource(), 'SOURCE_READ')
    expect(error.message).toContain(path)
    expect(error.message).toContain('there is no such file')
    expect(error.cause).toMatchObject({ code: 'ENOENT' })
  })

  it('reports a path through a file, and a loop of links', async () => {
    await writeFile(inDirectory('file'), '')
    await symlink('loop', inDirectory('loop'))
    await expectCode(fileVolume(inDirectory('file/disk.img')).openSource(), 'SOURCE_READ')
    const error = await expectCode(fileVolume(inDirectory('loop')).openSource(), 'SOURCE_READ')
    expect(error.cause).toMatchObject({ code: 'ELOOP' })
  })

  it.runIf(process.getuid?.() !== 0)('reports a missing read permission', async () => {
    const path = inDirectory('secret.img')
    await writeFile(path, 'x')
    await chmod(path, 0)
    const error = await expectCode(fileVolume(path).openSource(), 'SOURCE_READ')
    expect(error.message).toContain('may not read it')
  })

  it('refuses a directory, a socket and a character device with their kind', async () => {
    await mkdir(inDirectory('directory'))
    const server = createServer().listen(inDirectory('socket'))
    await once(server, 'listening')
    try {
      const kinds = {
        [inDirectory('directory')]: 'a directory',
        [inDirectory('socket')]: 'a socket',
        '/dev/zero': 'a character device',
      }
      for (const [path, kind] of Object.entries(kinds)) {
        const error = await expectCode(fileVolume(path).openSource(), 'NOT_A_FILE')
        expect(error.message).toContain(`${path} is ${kind}`)
      }
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  })

  it('reports the new end of a file that shrinks while it is read', async () => {
    const path = inDirectory('disk.img')
    await writeFile(path, pattern(1000))
    const source = await fileVolume(path).openSource()
    const into = Buffer.alloc(500)
    expect(await source.read(into, 0)).toBe(500)
    await truncate(path, 700)
    const error = await expectCode(source.read(into, 500), 'SOURCE_CHANGED')
    expect(error.details.offsetBytes).toBe(700)
    expect(error.message).toContain('it had 1000 bytes and now ends at 700')
    await source.close()
  })

  it('leaves out bytes appended to the file, with a warning', async () => {
    const path = inDirectory('disk.img')
    await writeFile(path, pattern(100))
    const source = await fileVolume(path).openSource()
    await appendFile(path, 'more')
    expect(await readAll(source)).toEqual(pattern(100))
    expect(await source.changeWarning?.()).toContain('went from 100 to 104 bytes')
    await source.close()
  })

  it('warns of a file of the same size that was written to', async () => {
    const path = inDirectory('disk.img')
    await writeFile(path, pattern(100))
    await utimes(path, new Date(1000), new Date(1000))
    const source = await fileVolume(path).openSource()
    await writeFile(path, pattern(100, 2))
    expect(await source.changeWarning?.()).toContain('was written to')
    await source.close()
  })

  it('is not opened or read after its signal is aborted', async () => {
    const path = inDirectory('disk.img')
    await writeFile(path, pattern(100))
    const signal = AbortSignal.abort()
    await expectCode(fileVolume(path).openSource({ signal }), 'ABORTED')
    const source = await fileVolume(path).openSource()
    await expectCode(source.read(Buffer.alloc(10), 0, { signal }), 'ABORTED')
    await source.close()
  })

  it('is not read after it was closed, and may be closed twice', async () => {
    const path = inDirectory('disk.img')
    await writeFile(path, pattern(100))
    const source = await fileVolume(path).openSource()
    await source.close()
    await source.close()
    await expectCode(source.read(Buffer.alloc(10), 0), 'SOURCE_READ')
  })
})

describe('fileVolume', () => {
  it('has the given path, and does not open it', () => {
    expect(fileVolume('/no/such/place').path).toBe('/no/such/place')
  })

  it('refuses an invalid path before anything is opened', async () => {
    for (const path of ['', 'a\0b', 5, undefined, new URL('file:///disk.img')]) {
      await expectThrown(() => fileVolume(path as string), 'OPTION_INVALID')
    }
    await expectThrown(
      () => fileVolume('disk.img', { create: 'yes' as unknown as boolean }),
      'OPTION_INVALID',
    )
  })
})

describe('a named pipe as a source', () => {
  const makePipe = (): string => {
    const path = inDirectory('pipe')
    expect(spawnSync('mkfifo', [path]).status).toBe(0)
    return path
  }

  it('is a stream of unknown size that ends when its writer closes it', async () => {
    const path = makePipe()
    const content = pattern(200_000)
    const source = await fileVolume(path).openSource()
    expect(source.sizeBytes).toBeUndefined()
    expect(source.seekable).toBe(false)
    const [read] = await Promise.all([readAll(source, 70_000), writeFile(path, content)])
    expect(read.equals(content)).toBe(true)
    await source.close()
  })

  it('waits for a writer until it is aborted', async () => {
    const source = await fileVolume(makePipe()).openSource()
    const controller = new AbortController()
    const read = source.read(Buffer.alloc(10), 0, { signal: controller.signal })
    setImmediate(() => {
      controller.abort()
    })
    await expectCode(read, 'ABORTED')
    await source.close()
  })
})

describe('a file of size 0', () => {
  it.runIf(process.platform === 'linux')(
    'is refused when it can be read, as files of /proc can',
    async () => {
      const error = await expectCode(fileVolume('/proc/self/status').openSource(), 'NOT_A_FILE')
      expect(error.message).toContain('Back up the output of `cat`')
    },
  )

  it('is a source of no bytes when it cannot be read', async () => {
    await writeFile(inDirectory('empty.img'), '')
    const source = await fileVolume(inDirectory('empty.img')).openSource()
    expect(source.sizeBytes).toBe(0)
    await source.close()
  })
})

describe('the size that a source must have', () => {
  it('refuses a file of another size when it is opened', async () => {
    await writeFile(inDirectory('disk.img'), pattern(100))
    for (const sizeBytes of [99, 101]) {
      const error = await expectCode(
        fileVolume(inDirectory('disk.img'), { sizeBytes }).openSource(),
        'SOURCE_CHANGED',
      )
      expect(error.message).toContain(`has 100 bytes, expected ${sizeBytes} (\`sizeBytes\`). Check`)
    }
    await (await fileVolume(inDirectory('disk.img'), { sizeBytes: 100 }).openSource()).close()
  })

  it('ends the backup of a pipe with fewer bytes', async () => {
    expect(spawnSync('mkfifo', [inDirectory('pipe')]).status).toBe(0)
    const source = await fileVolume(inDirectory('pipe'), { sizeBytes: 101 }).openSource()
    const writing = writeFile(inDirectory('pipe'), pattern(100))
    await expectCode(source.read(Buffer.alloc(101), 0), 'SOURCE_CHANGED')
    await source.close()
    await writing
  })

  it('must be a whole number', () => {
    for (const sizeBytes of [-1, 1.5, NaN]) {
      expect(() => fileVolume('disk.img', { sizeBytes })).toThrow('must be a whole number of at least 0')
    }
  })
})
