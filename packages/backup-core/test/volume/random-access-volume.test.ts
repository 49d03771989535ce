import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BackupError } from '../../src/errors/backup-error.js'
import { randomAccessVolume } from '../../src/volume/random-access-volume.js'
import type { OpenSource, RandomAccessSource } from '../../src/contracts/volume.js'
import { expectCode, expectThrown, pattern, readAll } from './support.js'

const opened = (size: number, read: (offset: number, length: number) => unknown): Promise<OpenSource> =>
  randomAccessVolume({ size, read } as unknown as RandomAccessSource).openSource()

describe('a random-access source', () => {
  it('has the same bytes however short its reads are', async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 })
    await fc.assert(
      fc.asyncProperty(
        fc.nat(300),
        cuts,
        fc.integer({ min: 1, max: 100 }),
        async (size, lengths, readBytes) => {
          const content = pattern(size)
          let call = 0
          const source = await opened(size, async (offset, length) => {
            const cut = lengths[call++ % lengths.length] ?? 1
            return content.subarray(offset, offset + Math.min(length, cut))
          })
          expect(source.sizeBytes).toBe(size)
          expect(source.seekable).toBe(true)
          expect(await readAll(source, readBytes)).toEqual(content)
        },
      ),
    )
  })

  it('is not read past its end', async () => {
    const asked: number[] = []
    const source = await opened(100, async (offset, length) => {
      asked.push(offset + length)
      return new Uint8Array(length)
    })
    expect(await source.read(new Uint8Array(64), 64)).toBe(36)
    expect(await source.read(new Uint8Array(64), 100)).toBe(0)
    expect(asked).toEqual([100])
  })

  it('is called as a method of its object', async () => {
    class Memory implements RandomAccessSource {
      readonly content = pattern(10)
      readonly size = 10
      async read(offset: number, length: number): Promise<Uint8Array> {
        return this.content.subarray(offset, offset + length)
      }
    }
    expect(await readAll(await randomAccessVolume(new Memory()).openSource())).toEqual(pattern(10))
  })

  it('is refused for an invalid size, or a read that is not a function', async () => {
    const read = async (): Promise<Uint8Array> => new Uint8Array(0)
    for (const size of [-1, 1.5, Number.NaN, Infinity, 2 ** 53, '5', undefined, 5n]) {
      await expectThrown(() => randomAccessVolume({ size: size as number, read }), 'OPTION_INVALID')
    }
    const source = { size: 1, read: 'no' } as unknown as RandomAccessSource
    await expectThrown(() => randomAccessVolume(source), 'OPTION_INVALID')
  })

  it('reports a read that returns too many bytes, or not a Uint8Array', async () => {
    const long = await opened(10, async (_, length) => new Uint8Array(length + 1))
    const error = await expectCode(long.read(new Uint8Array(4), 2), 'SOURCE_READ')
    expect(error.message).toContain('read(2, 4) returned 5 bytes, expected a Uint8Array of at most 4')
    expect(error.details.offsetBytes).toBe(2)
    for (const [answer, name] of [
      ['text', 'a string'],
      [undefined, 'undefined'],
      [new Uint16Array(1), 'Uint16Array'],
    ]) {
      const source = await opened(10, async () => answer)
      const wrong = await expectCode(source.read(new Uint8Array(4), 0), 'SOURCE_READ')
      expect(wrong.message).toContain(name)
    }
  })

  it('reports a read of no bytes before the end as a source that shrank', async () => {
    const source = await opened(
      10,
      async (offset, length) => new Uint8Array(offset < 6 ? Math.min(length, 6) : 0),
    )
    const error = await expectCode(source.read(new Uint8Array(10), 0), 'SOURCE_CHANGED')
    expect(error.details.offsetBytes).toBe(6)
  })

  it('has the error of its read as the cause, thrown synchronously or not', async () => {
    const cause = new Error('array 3 is offline')
    const reads = [
      () => Promise.reject(cause),
      () => {
        throw cause
      },
    ]
    for (const read of reads) {
      const error = await expectCode((await opened(10, read)).read(new Uint8Array(4), 4), 'SOURCE_READ')
      expect(error.cause).toBe(cause)
      expect(error.message).toContain('array 3 is offline')
    }
  })

  it('rejects with the BackupError of its read', async () => {
    const own = new BackupError('OBJECT_CORRUPT', 'The object is damaged.')
    const source = await opened(10, () => Promise.reject(own))
    expect(await expectCode(source.read(new Uint8Array(4), 0), 'OBJECT_CORRUPT')).toBe(own)
  })

  it('stops waiting for a read when it is aborted', async () => {
    const controller = new AbortController()
    const source = await opened(10, () => {
      controller.abort()
      return new Promise(() => undefined)
    })
    await expectCode(source.read(new Uint8Array(4), 0, { signal: controller.signal }), 'ABORTED')
    await expectCode(source.read(new Uint8Array(4), 0, { signal: controller.signal }), 'ABORTED')
    await source.close()
  })

  it('warns when its size has changed', async () => {
    const source = { size: 10, read: async (_: number, length: number) => new Uint8Array(length) }
    const open = await randomAccessVolume(source).openSource()
    expect(await open.changeWarning?.()).toBeUndefined()
    source.size = 12
    expect(await open.changeWarning?.()).toContain('went from 10 to 12 bytes')
  })
})
