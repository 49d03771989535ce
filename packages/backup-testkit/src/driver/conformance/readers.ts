import assert from 'node:assert/strict'
import { collect, noise } from './bytes.js'
import { rejectsWith, sameBytes } from './expectations.js'
import { rangeOf, streamOf } from './reader-methods.js'
import type { Area } from './suite.js'

/** Object readers: whole, in pieces, in part. */
export const readers: Area = (test) => {
  test('read rejects with OBJECT_TOO_LARGE for an object of one byte more than maxBytes', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(5000))
    await rejectsWith(
      'OBJECT_TOO_LARGE',
      place.read(place.chunk(1), (reader) => reader.read({ maxBytes: 4999 })),
    )
  })

  test('read returns an object of exactly maxBytes', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(5000))
    sameBytes(await place.read(place.chunk(1), (reader) => reader.read({ maxBytes: 5000 })), noise(5000))
  })

  for (const [fit, bufferBytes] of [
    ['that is larger', 9000],
    ['of its size', 5000],
    ['that is too small', 100],
  ] as const) {
    test(`read returns the object and nothing more with a buffer ${fit}`, async (fixture) => {
      const place = await fixture.place()
      await place.put(place.chunk(1), noise(5000))
      const buffer = new Uint8Array(bufferBytes).fill(7)
      sameBytes(await place.read(place.chunk(1), (reader) => reader.read({ buffer })), noise(5000))
    })
  }

  test('a reader of an object that does not exist rejects with OBJECT_MISSING, at its first read at the latest', async (fixture) => {
    const place = await fixture.place()
    await rejectsWith('OBJECT_MISSING', place.get(place.chunk(1)))
  })

  test('many readers read one object concurrently', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(50_000))
    const found = await Promise.all(Array.from({ length: 8 }, () => place.get(place.chunk(1))))
    for (const bytes of found) sameBytes(bytes, noise(50_000))
  })

  test('a reader closes without having read', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(10))
    await place.read(place.chunk(1), () => Promise.resolve())
    await place.delete(place.chunk(1))
    assert.equal(await place.exists(place.chunk(1)), false)
  })

  for (const sizeBytes of [0, 1, 3 * 1024 * 1024 + 7]) {
    test(
      `stream gives all of an object of ${sizeBytes} bytes, piece by piece`,
      async (fixture) => {
        const place = await fixture.place()
        await place.put(place.chunk(1), noise(sizeBytes))
        sameBytes(await place.read(place.chunk(1), (reader) => collect(streamOf(reader))), noise(sizeBytes))
      },
      'streamingReads',
    )
  }

  test(
    'stream rejects with OBJECT_MISSING for an object that does not exist',
    async (fixture) => {
      const place = await fixture.place()
      const read = place.read(place.chunk(1), (reader) => collect(streamOf(reader)))
      await rejectsWith('OBJECT_MISSING', read)
    },
    'streamingReads',
  )

  test(
    'stream may be closed after its first piece',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(place.chunk(1), noise(3_000_000))
      await place.read(place.chunk(1), async (reader) => {
        for await (const piece of streamOf(reader)) {
          sameBytes(piece, noise(piece.byteLength))
          break
        }
      })
      sameBytes(await place.get(place.chunk(1)), noise(3_000_000))
    },
    'streamingReads',
  )

  for (const [what, offset, length] of [
    ['the start', 0, 10],
    ['the middle', 777, 3333],
    ['the end', 4000, 1000],
  ] as const) {
    test(
      `readRange gives exactly the bytes that were asked for at ${what} of an object`,
      async (fixture) => {
        const place = await fixture.place()
        await place.put(place.chunk(1), noise(5000))
        const found = await place.read(place.chunk(1), (reader) => rangeOf(reader, offset, length))
        sameBytes(found, noise(5000).subarray(offset, offset + length))
      },
      'rangedReads',
    )
  }

  test(
    'readRange returns fewer bytes where the object ends',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(place.chunk(1), noise(5000))
      const found = await place.read(place.chunk(1), (reader) => rangeOf(reader, 4990, 1000))
      sameBytes(found, noise(5000).subarray(4990))
    },
    'rangedReads',
  )

  test(
    'readRange rejects with OBJECT_MISSING for an object that does not exist',
    async (fixture) => {
      const place = await fixture.place()
      const read = place.read(place.chunk(1), (reader) => rangeOf(reader, 0, 10))
      await rejectsWith('OBJECT_MISSING', read)
    },
    'rangedReads',
  )
}
