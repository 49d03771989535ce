import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { noise } from './bytes.js'
import { sameBytes } from './expectations.js'
import type { Place } from './place.js'
import type { Area } from './suite.js'

/** Volume ids that are hard to encode in URLs and paths. */
const volumeIds = ['größe-日本-\u{1f4be}', 'a%2Fb+c d', 'q?x=1&y#z', `"'<>\\:*|`, 'e\u0301-\u00e9']

/** Volume ids of two backups that a listing by SQL's LIKE, or ignoring case, confuses. */
const lookalikes = [
  ['another one in which a character is where it has an underscore', 'a_b', 'axb'],
  ['another one in which characters are where it has a percent sign', 'a%b', 'axyb'],
  ['one whose id differs in case', 'Volume-A', 'volume-a'],
] as const

/** Concurrent writes for a long listing. */
const concurrentWriters = 16

/** getContainerEntries. */
export const listing: Area = (test, options) => {
  test(
    'a listing has every name that begins with the prefix, complete and once',
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
    'a prefix is text, not a pattern, and may end anywhere in a name',
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

  for (const [what, one, other] of lookalikes) {
    test(
      `a listing of the prefix of one volume does not match ${what}`,
      async (fixture) => {
        const id = randomUUID()
        const place = await fixture.place({ id, volumeId: one })
        const neighbour = fixture.driver.generateObjectNamePrefix(fixture.newBackup({ id, volumeId: other }))
        // A driver whose prefixes do not contain the id of the volume has nothing to mistake.
        if (neighbour === place.prefix) return
        await place.put(`${neighbour}-00001`, noise(10))
        assert.deepEqual(await place.list(), [])
      },
      'promptListing',
    )
  }

  test(
    'an underscore, a percent sign or a backslash in a prefix is matched literally, not as a wildcard of SQL',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(place.chunk(1), noise(10))
      await place.put(`${place.prefix}_metadata`, noise(10))
      assert.deepEqual(await place.list(`${place.prefix}_`), [`${place.prefix}_metadata`])
      assert.deepEqual(await place.list(`${place.prefix}_0000`), [])
      assert.deepEqual(await place.list(`${place.prefix}%`), [])
      assert.deepEqual(await place.list(`${place.prefix}-%1`), [])
      assert.deepEqual(await place.list(`${place.prefix}\\_`), [])
      assert.deepEqual(await place.list(`${place.prefix}\\-0000`), [])
    },
    'promptListing',
  )

  test(
    'a prefix is matched case-sensitively',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(`${place.prefix}_metadata`, noise(10))
      assert.deepEqual(await place.list(`${place.prefix}_META`), [])
      assert.deepEqual(await place.list(`${place.prefix}_Metadata`), [])
      assert.deepEqual(await place.list(`${place.prefix}_meta`), [`${place.prefix}_metadata`])
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
    'a listing may be closed before its end',
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
    'a listing has every object that stays while others are created and deleted',
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
  await Promise.all(Array.from({ length: concurrentWriters }, writeSome))
}
