import assert from 'node:assert/strict'
import { noise } from './bytes.js'
import { sameBytes } from './expectations.js'
import type { Place } from './place.js'
import type { Area } from './suite.js'

/** Volume ids that are hard on whoever builds URLs, paths or pages of them. */
const volumeIds = ['größe-日本-\u{1f4be}', 'a%2Fb+c d', 'q?x=1&y#z', `"'<>\\:*|`, 'e\u0301-\u00e9']

/** How many objects are written at once for a long listing. */
const writersAtOnce = 16

/** getContainerEntries. */
export const listing: Area = (test, options) => {
  test(
    'a listing has every name that begins with the prefix, whole and once',
    async (fixture) => {
      const place = await fixture.place()
      const names = [place.chunk(1), place.chunk(2), `${place.prefix}_metadata`, `${place.prefix}_sha256file`]
      for (const name of names) await place.put(name, noise(10))
      assert.deepEqual(await place.list(), names.sort())
    },
    'promptListing',
  )

  test(
    'a listing has no name that does not begin with the prefix',
    async (fixture) => {
      const place = await fixture.place()
      const neighbour = (await fixture.place()).prefix
      for (const name of [place.chunk(1), place.chunk(2), `${neighbour}-00001`])
        await place.put(name, noise(10))
      assert.deepEqual(await place.list(), [place.chunk(1), place.chunk(2)])
      assert.deepEqual(await place.list(place.chunk(2)), [place.chunk(2)])
    },
    'promptListing',
  )

  test(
    'a prefix is text and no pattern, and may end anywhere in a name',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(`${place.prefix}_metadata`, noise(10))
      await place.put(place.chunk(1), noise(10))
      assert.deepEqual(await place.list(`${place.prefix}_meta`), [`${place.prefix}_metadata`])
      assert.deepEqual(await place.list(`${place.prefix}?`), [])
      assert.deepEqual(await place.list(`${place.prefix}.*`), [])
    },
    'promptListing',
  )

  test(
    'an empty prefix lists every object of the container',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(place.chunk(1), noise(10))
      await place.put(`${place.prefix}_metadata`, noise(10))
      const names = await place.list('')
      assert.ok(names.includes(place.chunk(1)) && names.includes(`${place.prefix}_metadata`))
    },
    'promptListing',
  )

  for (const volumeId of volumeIds) {
    test(`names with ${JSON.stringify(volumeId)} in them are written, listed, read and deleted`, async (fixture) => {
      const place = await fixture.place({ volumeId })
      await place.put(place.chunk(1), noise(10))
      if (!options.capabilities.eventualListing) assert.deepEqual(await place.list(), [place.chunk(1)])
      sameBytes(await place.get(place.chunk(1)), noise(10))
      await place.delete(place.chunk(1))
      assert.equal(await place.exists(place.chunk(1)), false)
    })
  }

  const longListing = options.longListing ?? 1100
  test(
    `a listing of ${longListing} names is complete, to its last page`,
    async (fixture) => {
      const place = await fixture.place()
      const names = Array.from({ length: longListing }, (_, n) => place.chunk(n + 1))
      await putAll(place, names)
      assert.deepEqual(await place.list(), names)
    },
    'promptListing',
  )

  test(
    'a listing may be left before its end',
    async (fixture) => {
      const place = await fixture.place()
      await putAll(place, [place.chunk(1), place.chunk(2), place.chunk(3)])
      const seen: string[] = []
      for await (const name of fixture.driver.getContainerEntries(place.container, place.prefix, {})) {
        seen.push(name)
        break
      }
      assert.equal(seen.length, 1)
      assert.equal((await place.list()).length, 3)
    },
    'promptListing',
  )

  test(
    'a listing while objects come and go has all those that stay',
    async (fixture) => {
      const place = await fixture.place()
      const staying = Array.from({ length: 20 }, (_, n) => place.chunk(n + 1))
      await putAll(place, staying)
      const comeAndGo = async (name: string): Promise<void> => {
        await place.put(name, noise(10))
        await place.delete(name)
      }
      const changes = Promise.all(Array.from({ length: 20 }, (_, n) => comeAndGo(place.chunk(n + 101))))
      const found = new Set(await place.list())
      await changes
      assert.deepEqual(
        staying.filter((name) => !found.has(name)),
        [],
      )
    },
    'promptListing',
  )
}

async function putAll(place: Place, names: readonly string[]): Promise<void> {
  const waiting = [...names]
  const writeSome = async (): Promise<void> => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) await place.put(name, noise(1))
  }
  await Promise.all(Array.from({ length: writersAtOnce }, writeSome))
}
