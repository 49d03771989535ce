import { BackupError, isBackupError, type ReplayableBody } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { collect, noise } from './bytes.js'
import { rejectsAborted, rejectsWith, sameBytes } from './expectations.js'
import type { Place } from './place.js'
import type { Area } from './suite.js'

const sizesBytes = [0, 1, 1023, 65_537, 3 * 1024 * 1024 + 7]

/** Sizes that a network's buffers take whole, or in part, or not at all; and how many pieces of them. */
const reusedPieces = [
  [1000, 700],
  [65_536, 60],
  [262_080, 20],
  [3_000_000, 3],
] as const

/** Object writers: all or nothing. */
export const writers: Area = (test) => {
  for (const sizeBytes of sizesBytes) {
    test(`an object of ${sizeBytes} bytes reads back as it was written`, async (fixture) => {
      const place = await fixture.place()
      await place.put(place.chunk(1), noise(sizeBytes))
      sameBytes(await place.get(place.chunk(1)), noise(sizeBytes))
    })
  }

  test('an object written in pieces is all of them in order', async (fixture) => {
    const place = await fixture.place()
    const bytes = noise(100_000)
    await place.put(place.chunk(1), bytes.subarray(0, 3), bytes.subarray(3, 70_000), bytes.subarray(70_000))
    sameBytes(await place.get(place.chunk(1)), bytes)
  })

  for (const [pieceBytes, pieces] of reusedPieces) {
    test(`a body in pieces of ${pieceBytes} bytes that all lie in the same memory is stored as it was produced`, async (fixture) => {
      const place = await fixture.place()
      const body = inOneMemory(pieceBytes, pieces)
      await place.putBody(place.chunk(1), body)
      sameBytes(await place.get(place.chunk(1)), await collect(body.stream()))
    })
  }

  test('a body whose MD5 is known only after its last piece is stored as it was produced', async (fixture) => {
    const place = await fixture.place()
    for (const [pieceBytes, pieces] of reusedPieces) {
      const body = summedAsItGoes(inOneMemory(pieceBytes, pieces))
      await place.putBody(place.chunk(1), body)
      sameBytes(await place.get(place.chunk(1)), await collect(body.stream()))
    }
    const writer = await place.writer(place.chunk(2))
    await writer.abort()
    const declared = place.driver.capabilities.streamingBodies === true
    assert.ok(
      !declared || 'writeFrom' in writer,
      'the driver declares streamingBodies, and its writers have no writeFrom',
    )
  })

  test('a body that fails while it is produced fails its writer with that error, and leaves nothing of the object', async (fixture) => {
    const place = await fixture.place()
    const failure = new BackupError('SOURCE_READ', 'the disk is gone')
    await rejectsWith('SOURCE_READ', place.putBody(place.chunk(1), failingAfter(failure, 3_000_000, 2, 4)))
    await notThere(place, place.chunk(1))
  })

  test('a writer does not read the bytes again once write has resolved', async (fixture) => {
    const place = await fixture.place()
    const bytes = noise(5000)
    const writer = await place.writer(place.chunk(1))
    await writer.write(bytes)
    bytes.fill(0)
    await writer.close()
    sameBytes(await place.get(place.chunk(1)), noise(5000))
  })

  test('an object is not readable, found or listed before its writer is closed', async (fixture) => {
    const place = await fixture.place()
    const writer = await place.writer(place.chunk(1))
    try {
      await writer.write(noise(5000))
      await notThere(place, place.chunk(1))
    } finally {
      await writer.abort()
    }
  })

  test('an object is readable and found by another driver as soon as close has resolved', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(5000))
    const other = place.seenBy(await fixture.open())
    assert.equal(await other.exists(place.chunk(1)), true)
    sameBytes(await other.get(place.chunk(1)), noise(5000))
  })

  test(
    'an object is listed by another driver as soon as close has resolved',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(place.chunk(1), noise(10))
      assert.deepEqual(await place.seenBy(await fixture.open()).list(), [place.chunk(1)])
    },
    'promptListing',
  )

  test('a writer replaces an object of the same name, also a longer one', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(5000))
    await place.put(place.chunk(1), noise(100, 2))
    sameBytes(await place.get(place.chunk(1)), noise(100, 2))
  })

  test('an object stays as it was until the writer that replaces it is closed', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(5000))
    const writer = await place.writer(place.chunk(1))
    await writer.write(noise(100, 2))
    sameBytes(await place.get(place.chunk(1)), noise(5000))
    await writer.abort()
    sameBytes(await place.get(place.chunk(1)), noise(5000))
  })

  test('abort leaves nothing of the object', async (fixture) => {
    const place = await fixture.place()
    const writer = await place.writer(place.chunk(1))
    await writer.write(noise(5000))
    await writer.abort()
    await notThere(place, place.chunk(1))
  })

  test('abort before the first write leaves nothing of the object', async (fixture) => {
    const place = await fixture.place()
    const writer = await place.writer(place.chunk(1))
    await writer.abort()
    await notThere(place, place.chunk(1))
  })

  test('a writer that is neither closed nor aborted shows nothing to another driver', async (fixture) => {
    const place = await fixture.place()
    const writer = await place.writer(place.chunk(1))
    await writer.write(noise(5000))
    try {
      await notThere(place.seenBy(await fixture.open()), place.chunk(1))
    } finally {
      await writer.abort()
    }
  })

  test('a signal that is aborted while an object is written makes the writer reject with ABORTED and leaves nothing', async (fixture) => {
    const place = await fixture.place()
    const controller = new AbortController()
    const writer = await place.writer(place.chunk(1), controller.signal)
    await writer.write(noise(5000))
    controller.abort()
    await rejectsAborted(
      controller.signal,
      writer.write(noise(10)).then(() => writer.close()),
    )
    await writer.abort()
    await notThere(place, place.chunk(1))
  })

  test('many objects are written concurrently, each with its own bytes', async (fixture) => {
    const place = await fixture.place()
    const numbers = Array.from({ length: 24 }, (_, n) => n + 1)
    await Promise.all(numbers.map((n) => place.put(place.chunk(n), noise(1000 + n, n))))
    for (const n of numbers) sameBytes(await place.get(place.chunk(n)), noise(1000 + n, n))
  })

  test('two concurrent writers of one name leave the whole object of one of them', async (fixture) => {
    const place = await fixture.place()
    const seeds = [1, 2, 3]
    const results = await Promise.allSettled(
      seeds.map((seed) => place.put(place.chunk(1), noise(30_000, seed), noise(30_000, seed))),
    )
    for (const result of results)
      if (result.status === 'rejected') assert.ok(isBackupError(result.reason, 'CONFLICT'))
    const found = Buffer.from(await place.get(place.chunk(1)))
    const written = seeds.map((seed) => Buffer.concat([noise(30_000, seed), noise(30_000, seed)]))
    assert.ok(
      written.some((bytes) => bytes.equals(found)),
      'the object is none of those that were written',
    )
  })

  test(
    'an exclusive writer creates an object that does not exist',
    async (fixture) => {
      const place = await fixture.place()
      await place.create(place.chunk(1), noise(70_000))
      sameBytes(await place.get(place.chunk(1)), noise(70_000))
    },
    'exclusiveCreate',
  )

  test(
    'an exclusive writer rejects with CONFLICT and leaves an existing object unchanged, also after its abort',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(place.chunk(1), noise(5000))
      await rejectsWith('CONFLICT', place.create(place.chunk(1), noise(100, 2)))
      sameBytes(await place.get(place.chunk(1)), noise(5000))
      // Also with the same bytes: the caller needs to know which writer created the object.
      await rejectsWith('CONFLICT', place.create(place.chunk(1), noise(5000)))
      sameBytes(await place.get(place.chunk(1)), noise(5000))
    },
    'exclusiveCreate',
  )

  test(
    'an exclusive writer creates an object again after it was deleted',
    async (fixture) => {
      const place = await fixture.place()
      await place.create(place.chunk(1), noise(5000))
      await place.delete(place.chunk(1))
      await place.create(place.chunk(1), noise(100, 2))
      sameBytes(await place.get(place.chunk(1)), noise(100, 2))
    },
    'exclusiveCreate',
  )

  test(
    'of concurrent exclusive writers that claim one name exactly one resolves, and the object is what that one wrote',
    async (fixture) => {
      const place = await fixture.place()
      const seeds = [1, 2, 3, 4, 5, 6]
      const results = await Promise.allSettled(
        seeds.map((seed) => place.claim(place.chunk(1), noise(30_000, seed), noise(30_000, seed))),
      )
      for (const result of results) {
        if (result.status === 'rejected')
          assert.ok(isBackupError(result.reason, 'CONFLICT'), String(result.reason))
      }
      const winners = seeds.filter((_seed, index) => results[index]?.status === 'fulfilled')
      assert.equal(winners.length, 1)
      const [winner = 0] = winners
      sameBytes(
        await place.get(place.chunk(1)),
        Buffer.concat([noise(30_000, winner), noise(30_000, winner)]),
      )
    },
    'exclusiveCreate',
  )
}

/** A body whose pieces are each only good until the next one is asked for, as the engine's metadata are. */
function inOneMemory(pieceBytes: number, pieces: number): ReplayableBody {
  return {
    lengthBytes: pieceBytes * pieces,
    async *stream() {
      const memory = Buffer.from(noise(pieceBytes))
      for (let index = 0; index < pieces; index++) {
        memory.writeUInt32LE(index, 0)
        memory.writeUInt32LE(index, pieceBytes - 4)
        yield await Promise.resolve(memory)
      }
    },
  }
}

/** The same body, summed while it is produced. */
function summedAsItGoes(body: ReplayableBody): ReplayableBody {
  let md5: string | undefined
  return {
    lengthBytes: body.lengthBytes,
    md5OfStream: () => Promise.resolve(md5),
    async *stream() {
      const sum = createHash('md5')
      let leftBytes = body.lengthBytes
      md5 = undefined
      for await (const piece of body.stream()) {
        sum.update(piece)
        leftBytes -= piece.length
        if (leftBytes === 0) md5 = sum.digest('hex')
        yield piece
      }
    },
  }
}

/** A body that gives some of its pieces, and then fails. */
function failingAfter(failure: Error, pieceBytes: number, given: number, pieces: number): ReplayableBody {
  return {
    lengthBytes: pieceBytes * pieces,
    md5OfStream: () => Promise.resolve(undefined),
    async *stream() {
      for (let index = 0; index < given; index++) yield await Promise.resolve(noise(pieceBytes, index))
      throw failure
    },
  }
}

async function notThere(place: Place, objectName: string): Promise<void> {
  assert.equal(await place.exists(objectName), false, 'the object is found')
  await rejectsWith('OBJECT_MISSING', place.get(objectName))
  assert.deepEqual(await place.list(), [], 'the container lists something under the prefix')
}
