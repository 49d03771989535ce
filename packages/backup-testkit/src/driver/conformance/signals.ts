import type { DriverCapabilities, ObjectReader, StoreOptions } from '@stowage/backup-core'
import assert from 'node:assert/strict'
import { collect, noise } from './bytes.js'
import { rejectsAborted } from './expectations.js'
import type { Place } from './place.js'
import { countNames, rangeOf, streamOf } from './reader-methods.js'
import type { Area } from './suite.js'

type Call = (place: Place, signal: AbortSignal) => Promise<unknown>

/** Every call that takes a signal, up to where its result is used. */
const calls: Readonly<Record<string, Call>> = {
  putContainer: ({ driver, container }, signal) => driver.putContainer(container, { signal }),
  getContainerEntries: ({ driver, container, prefix }, signal) =>
    countNames(driver.getContainerEntries(container, prefix, { signal })),
  getContainers: ({ driver }, signal) => countNames(driver.getContainers({ signal })),
  'a writer, closed at the latest,': async (place, signal) => {
    const writer = await place.writer(place.chunk(9), signal)
    try {
      await writer.write(noise(10))
      await writer.close()
    } finally {
      await writer.abort()
    }
  },
  'a reader, reading at the latest,': (place, signal) =>
    place.read(place.chunk(1), (reader) => reader.read(), signal),
  'read with a signal of its own': (place, signal) =>
    place.read(place.chunk(1), (reader) => reader.read({ signal })),
  deleteObject: (place, signal) => place.driver.deleteObject(place.container, place.chunk(1), { signal }),
  objectExists: (place, signal) => place.driver.objectExists(place.container, place.chunk(1), { signal }),
  checkForSetupError: ({ driver }, signal) => driver.checkForSetupError({ signal }),
}

/** The methods of a reader, each of which takes a signal beside that of `getObjectReader`. */
const readsWithOwnSignal = [
  ['read', (reader, own) => reader.read(own), undefined],
  ['stream', (reader, own) => collect(streamOf(reader, own)), 'streamingReads'],
  ['readRange', (reader, own) => rangeOf(reader, 0, 5, own), 'rangedReads'],
] as const satisfies readonly (readonly [
  name: string,
  read: (reader: ObjectReader, own: StoreOptions) => Promise<unknown>,
  capability: keyof DriverCapabilities | undefined,
])[]

/** AbortSignals, in every hook. */
export const signals: Area = (test) => {
  for (const [name, call] of Object.entries(calls)) {
    test(
      `${name} rejects with ABORTED when its signal is aborted already`,
      async (fixture) => {
        const place = await fixture.place()
        await place.put(place.chunk(1), noise(10))
        const signal = AbortSignal.abort()
        await rejectsAborted(signal, call(place, signal))
        assert.equal(await place.exists(place.chunk(1)), true)
        assert.equal(await place.exists(place.chunk(9)), false)
      },
      name === 'getContainers' ? 'containerListing' : undefined,
    )
  }

  test(
    'stream with a signal that is aborted between two pieces rejects with ABORTED',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(place.chunk(1), noise(8_000_000))
      const controller = new AbortController()
      const read = place.read(place.chunk(1), async (reader) => {
        for await (const piece of streamOf(reader, { signal: controller.signal })) {
          if (piece.byteLength > 0) controller.abort()
        }
      })
      await rejectsAborted(controller.signal, read)
    },
    'streamingReads',
  )

  test(
    'stream with a signal that is aborted already rejects with ABORTED',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(place.chunk(1), noise(10))
      const signal = AbortSignal.abort()
      const read = place.read(place.chunk(1), async (reader) => {
        await collect(streamOf(reader, { signal }))
      })
      await rejectsAborted(signal, read)
    },
    'streamingReads',
  )

  for (const [name, read, capability] of readsWithOwnSignal) {
    test(
      `${name} with a signal of its own rejects with ABORTED when that of the reader is aborted`,
      async (fixture) => {
        const place = await fixture.place()
        await place.put(place.chunk(1), noise(10))
        const opener = new AbortController()
        const own = { signal: new AbortController().signal }
        const reading = place.read(
          place.chunk(1),
          (reader) => {
            opener.abort()
            return read(reader, own)
          },
          opener.signal,
        )
        await rejectsAborted(opener.signal, reading)
      },
      capability,
    )
  }

  test('a driver works after a call was aborted', async (fixture) => {
    const place = await fixture.place()
    const controller = new AbortController()
    const writing = Promise.allSettled(
      [1, 2, 3].map(async (n) => {
        const writer = await place.writer(place.chunk(n), controller.signal)
        try {
          await writer.write(noise(5000))
          await writer.close()
        } catch {
          await writer.abort()
        }
      }),
    )
    controller.abort()
    await writing
    await place.put(place.chunk(4), noise(5000))
    assert.equal(await place.exists(place.chunk(4)), true)
  })
}
