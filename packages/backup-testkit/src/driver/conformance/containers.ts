import assert from 'node:assert/strict'
import { noise } from './bytes.js'
import { rejectsWith, sameBytes } from './expectations.js'
import type { Fixture } from './fixture.js'
import type { Area } from './suite.js'

/** putContainer and getContainers. */
export const containers: Area = (test) => {
  test('putContainer makes a container that takes objects', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(10))
    sameBytes(await place.get(place.chunk(1)), noise(10))
  })

  test('putContainer succeeds on a container that exists, and keeps its objects', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(10))
    await fixture.driver.putContainer(place.container, {})
    sameBytes(await place.get(place.chunk(1)), noise(10))
  })

  test('putContainer may run many times concurrently for one container', async (fixture) => {
    const place = await fixture.placeWithoutContainer()
    await Promise.all(Array.from({ length: 8 }, () => fixture.driver.putContainer(place.container, {})))
    await place.put(place.chunk(1), noise(10))
  })

  test('a container that does not exist lists as empty', async (fixture) => {
    const place = await missing(fixture)
    assert.deepEqual(await place.list(), [])
  })

  test('a writer in a container that does not exist rejects with CONTAINER_MISSING, when it is closed at the latest', async (fixture) => {
    const place = await missing(fixture)
    await rejectsWith('CONTAINER_MISSING', place.put(place.chunk(1), noise(10)))
  })

  test('objectExists is false in a container that does not exist', async (fixture) => {
    const place = await missing(fixture)
    assert.equal(await place.exists(place.chunk(1)), false)
    await rejectsWith('OBJECT_MISSING', place.get(place.chunk(1)))
  })

  test(
    'getContainers names a container that holds objects, once',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(`${place.prefix}_metadata`, noise(10))
      const names: string[] = []
      for await (const name of fixture.driver.getContainers({})) names.push(name)
      assert.equal(names.filter((name) => name === place.container).length, 1, `found ${names.join(', ')}`)
    },
    'containerListing',
  )
}

function missing(fixture: Fixture): ReturnType<Fixture['placeWithoutContainer']> {
  return fixture.placeWithoutContainer({ container: fixture.unusedContainerName() })
}
