import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { streamVolume } from '../../src/volume/stream-volume.js'
import { expectCode, expectThrown, pattern, readAll, useTemporaryDirectory } from './support.js'

type Stream = AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>

async function* generate(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}

function webStream(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  const left = [...pieces]
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift()
      if (piece === undefined) controller.close()
      else controller.enqueue(piece)
    },
  })
}

const kinds: [string, (pieces: readonly Uint8Array[]) => Stream][] = [
  ['an async iterable', generate],
  ['a Readable', (pieces) => Readable.from(pieces)],
  ['a web ReadableStream', webStream],
]

describe.each(kinds)('%s as a source', (_, make) => {
  it('has its bytes in order, whatever the sizes of pieces and reads', async () => {
    const cuts = fc.array(fc.nat(40), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(
        cuts,
        fc.integer({ min: 1, max: 90 }),
        fc.boolean(),
        async (lengths, readBytes, known) => {
          const content = pattern(lengths.reduce((sum, length) => sum + length, 0))
          let end = 0
          const pieces = lengths.map((length) => Uint8Array.from(content.subarray(end, (end += length))))
          const volume = streamVolume(make(pieces), known ? { sizeBytes: content.length } : {})
          const source = await volume.openSource()
          expect(source.sizeBytes).toBe(known ? content.length : undefined)
          expect(source.seekable).toBe(false)
          expect(await readAll(source, readBytes)).toEqual(content)
          expect(await source.read(Buffer.alloc(5), content.length)).toBe(0)
          await source.close()
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is refused with fewer or more bytes than expected', async () => {
    for (const sizeBytes of [0, 1, 9, 11, 100]) {
      const volume = streamVolume(make([pattern(4), new Uint8Array(0), pattern(6)]), { sizeBytes })
      const work = volume.openSource().then((source) => readAll(source, 3))
      const error = await expectCode(work, 'SOURCE_CHANGED')
      expect(error.message).toContain(
        sizeBytes < 10 ? 'has more than the expected' : 'ended after 10 of the expected',
      )
    }
  })

  it('detects an extra byte also when one read takes all expected bytes', async () => {
    const source = await streamVolume(make([pattern(10), pattern(1)]), { sizeBytes: 10 }).openSource()
    await expectCode(source.read(Buffer.alloc(10), 0), 'SOURCE_CHANGED')
  })

  it('refuses a piece that is not a Uint8Array, with its type', async () => {
    const strange: [unknown, string][] = [
      ['text', 'a string at byte 4, expected a Uint8Array. Do not set an encoding on it.'],
      [7, 'a number'],
      [{ a: 1 }, 'an object'],
      [new Uint16Array(2), 'an object (Uint16Array)'],
    ]
    for (const [piece, name] of strange) {
      const source = await streamVolume(make([pattern(4), piece as Uint8Array])).openSource()
      const error = await expectCode(readAll(source), 'SOURCE_READ')
      expect(error.message).toContain(name)
      expect(error.details.offsetBytes).toBe(4)
      await source.close()
    }
  })

  it('refuses a second open, and a read out of order', async () => {
    const volume = streamVolume(make([pattern(10)]))
    const source = await volume.openSource()
    await expectCode(source.read(Buffer.alloc(2), 4), 'SOURCE_READ')
    expect(await source.read(Buffer.alloc(2), 0)).toBe(2)
    await expectCode(source.read(Buffer.alloc(2), 0), 'SOURCE_READ')
    const error = await expectCode(volume.openSource(), 'SOURCE_READ')
    expect(error.message).toContain('can be backed up only once')
    await source.close()
  })

  it('is not opened after its signal is aborted', async () => {
    const volume = streamVolume(make([pattern(10)]))
    await expectCode(volume.openSource({ signal: AbortSignal.abort() }), 'ABORTED')
  })
})

describe('an async iterable as a source', () => {
  it('is returned and awaited when the source is closed before its end', async () => {
    const events: string[] = []
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield pattern(10)
      } finally {
        await new Promise((resolve) => setImmediate(resolve))
        events.push('returned')
      }
    }
    const source = await streamVolume(endless()).openSource()
    await source.read(Buffer.alloc(15), 0)
    await source.close()
    await source.close()
    expect(events).toEqual(['returned'])
  })

  it('is not returned once it has ended by itself', async () => {
    let returned = 0
    const iterator = {
      next: async (): Promise<IteratorResult<Uint8Array>> => ({ done: true, value: undefined }),
      return: async (): Promise<IteratorResult<Uint8Array>> => {
        returned += 1
        return { done: true, value: undefined }
      },
    }
    const source = await streamVolume({ [Symbol.asyncIterator]: () => iterator }).openSource()
    expect(await readAll(source)).toEqual(Buffer.alloc(0))
    await source.close()
    expect(returned).toBe(0)
  })

  it('may reuse the memory of a piece for the next one', async () => {
    async function* reusing(): AsyncGenerator<Uint8Array> {
      const memory = new Uint8Array(10)
      for (let value = 1; value <= 3; value += 1) yield memory.fill(value)
    }
    const source = await streamVolume(reusing()).openSource()
    const expected = Buffer.concat([1, 2, 3].map((value) => Buffer.alloc(10, value)))
    expect(await readAll(source, 30)).toEqual(expected)
  })

  it('has its error as the cause, and is not read after it', async () => {
    const cause = new Error('the tape tore')
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield pattern(10)
      throw cause
    }
    const source = await streamVolume(failing()).openSource()
    const error = await expectCode(source.read(Buffer.alloc(20), 0), 'SOURCE_READ')
    expect(error.cause).toBe(cause)
    expect(error.message).toContain('failed after 10 bytes: the tape tore')
    expect(await expectCode(source.read(Buffer.alloc(20), 10), 'SOURCE_READ')).toBe(error)
    await source.close()
  })

  it('reports the first error when its return fails', async () => {
    const iterator = {
      next: async (): Promise<IteratorResult<Uint8Array>> => ({ done: false, value: pattern(10) }),
      return: async (): Promise<IteratorResult<Uint8Array>> => Promise.reject(new Error('no return')),
    }
    const source = await streamVolume({ [Symbol.asyncIterator]: () => iterator }).openSource()
    await source.read(Buffer.alloc(4), 0)
    await expect(source.close()).resolves.toBeUndefined()
  })

  it('ends with ABORTED and closes while a piece never arrives', async () => {
    async function* silent(): AsyncGenerator<Uint8Array> {
      await new Promise(() => undefined)
      yield pattern(1)
    }
    const controller = new AbortController()
    const source = await streamVolume(silent()).openSource()
    const read = source.read(Buffer.alloc(4), 0, { signal: controller.signal })
    controller.abort()
    await expectCode(read, 'ABORTED')
    await expectCode(source.read(Buffer.alloc(4), 0), 'ABORTED')
    await source.close()
  })
})

describe('an abort while the next piece is requested', () => {
  it('ends the read as any other abort does', async () => {
    const controller = new AbortController()
    const iterator = {
      next: (): Promise<IteratorResult<Uint8Array>> => {
        controller.abort()
        return new Promise(() => undefined)
      },
    }
    const source = await streamVolume({ [Symbol.asyncIterator]: () => iterator }).openSource()
    await expectCode(source.read(Buffer.alloc(4), 0, { signal: controller.signal }), 'ABORTED')
    await source.close()
  })
})

describe('a Readable as a source', () => {
  const inDirectory = useTemporaryDirectory()

  it('is destroyed when the source is closed before its end', async () => {
    const stream = Readable.from([pattern(10), pattern(10)])
    const source = await streamVolume(stream).openSource()
    await source.read(Buffer.alloc(4), 0)
    await source.close()
    expect(stream.destroyed).toBe(true)
  })

  it('is destroyed when it was never read', async () => {
    const stream = Readable.from([pattern(10)])
    const source = await streamVolume(stream).openSource()
    await source.close()
    expect(stream.destroyed).toBe(true)
  })

  it('is destroyed when the signal was aborted before it is opened', async () => {
    const stream = Readable.from([pattern(10)])
    await expectCode(streamVolume(stream).openSource({ signal: AbortSignal.abort() }), 'ABORTED')
    expect(stream.destroyed).toBe(true)
  })

  it('is destroyed when an abort ends a pending read', async () => {
    const stream = new Readable({ read: () => undefined })
    const controller = new AbortController()
    const source = await streamVolume(stream).openSource()
    const read = source.read(Buffer.alloc(4), 0, { signal: controller.signal })
    controller.abort()
    await expectCode(read, 'ABORTED')
    await source.close()
    expect(stream.destroyed).toBe(true)
  })

  it('reports an error that occurred before the first read', async () => {
    const stream = createReadStream(inDirectory('missing.img'))
    const volume = streamVolume(stream)
    // No `error` listener of the test's own: one would hide that the volume has none.
    await new Promise<void>((resolve) => {
      stream.once('close', () => {
        resolve()
      })
    })
    const error = await expectCode(
      volume.openSource().then((source) => readAll(source)),
      'SOURCE_READ',
    )
    expect(error.cause).toMatchObject({ code: 'ENOENT' })
  })

  it('fails when it is destroyed while it is read', async () => {
    const stream = new Readable({ read: () => undefined })
    const source = await streamVolume(stream).openSource()
    stream.push(pattern(4))
    const read = source.read(Buffer.alloc(10), 0)
    setImmediate(() => stream.destroy())
    const error = await expectCode(read, 'SOURCE_READ')
    expect(error.cause).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
    await source.close()
  })

  it('is refused when it was read or destroyed before', async () => {
    const ended = Readable.from([pattern(10)])
    expect(await ended.toArray()).toHaveLength(1)
    const destroyed = new Readable({ read: () => undefined }).destroy()
    for (const stream of [ended, destroyed]) {
      const error = await expectCode(streamVolume(stream).openSource(), 'SOURCE_READ')
      expect(error.message).toContain('Pass a new one')
    }
  })
})

describe('a web ReadableStream as a source', () => {
  it('is cancelled when the source is closed before its end, also during a pending read', async () => {
    for (const answers of [true, false]) {
      let cancelled = 0
      const stream = new ReadableStream<Uint8Array>({
        pull: async (controller) => {
          if (!answers) await new Promise(() => undefined)
          controller.enqueue(pattern(10))
        },
        cancel: () => {
          cancelled += 1
        },
      })
      const controller = new AbortController()
      const source = await streamVolume(stream).openSource()
      const read = source.read(Buffer.alloc(answers ? 4 : 400), 0, { signal: controller.signal })
      if (answers) expect(await read).toBe(4)
      else {
        controller.abort()
        await expectCode(read, 'ABORTED')
      }
      await source.close()
      expect(cancelled).toBe(1)
    }
  })

  it('has its error as the cause', async () => {
    const cause = new Error('the line dropped')
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.error(cause)
      },
    })
    const source = await streamVolume(stream).openSource()
    expect((await expectCode(readAll(source), 'SOURCE_READ')).cause).toBe(cause)
    await source.close()
  })

  it('is refused when another reader holds it', async () => {
    const stream = webStream([pattern(10)])
    stream.getReader()
    await expectCode(streamVolume(stream).openSource(), 'SOURCE_READ')
  })
})

describe('streamVolume', () => {
  it('refuses anything but a stream, and an invalid size', async () => {
    for (const value of ['text', null, {}, [pattern(1)]]) {
      await expectThrown(() => streamVolume(value as unknown as Stream), 'OPTION_INVALID')
    }
    for (const sizeBytes of [-1, 1.5, Number.NaN, 2 ** 53]) {
      await expectThrown(() => streamVolume(generate([]), { sizeBytes }), 'OPTION_INVALID')
    }
  })
})
