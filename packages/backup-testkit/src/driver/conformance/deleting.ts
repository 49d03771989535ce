import assert from 'node:assert/strict'
import { noise } from './bytes.js'
import { rejectsWith } from './expectations.js'
import type { Area } from './suite.js'

/** deleteObject, deleteObjects and objectExists. */
export const deleting: Area = (test) => {
  test('deleteObject removes the object: it is not found, and reading it rejects with OBJECT_MISSING', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(10))
    assert.equal(await place.exists(place.chunk(1)), true)
    await place.delete(place.chunk(1))
    assert.equal(await place.exists(place.chunk(1)), false)
    await rejectsWith('OBJECT_MISSING', place.get(place.chunk(1)))
  })

  test(
    'a deleted object is not listed',
    async (fixture) => {
      const place = await fixture.place()
      await place.put(place.chunk(1), noise(10))
      await place.put(place.chunk(2), noise(10))
      await place.delete(place.chunk(1))
      assert.deepEqual(await place.list(), [place.chunk(2)])
    },
    'promptListing',
  )

  test('deleteObject succeeds for an object that does not exist', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(10))
    await place.delete(place.chunk(2))
    assert.equal(await place.exists(place.chunk(1)), true)
  })

  test('deleteObject succeeds the second time', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(10))
    await place.delete(place.chunk(1))
    await place.delete(place.chunk(1))
    assert.equal(await place.exists(place.chunk(1)), false)
  })

  test('deleteObject succeeds in a container that does not exist', async (fixture) => {
    const place = await fixture.placeWithoutContainer({ container: fixture.unusedContainerName() })
    await place.delete(place.chunk(1))
    assert.equal(await place.exists(place.chunk(1)), false)
  })

  test('deleteObject leaves objects whose names begin with the deleted one', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(10))
    await place.put(`${place.chunk(1)}0`, noise(10))
    await place.delete(place.chunk(1))
    assert.equal(await place.exists(`${place.chunk(1)}0`), true)
  })

  test('one object may be deleted many times concurrently', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(10))
    await Promise.all(Array.from({ length: 8 }, () => place.delete(place.chunk(1))))
    assert.equal(await place.exists(place.chunk(1)), false)
  })

  test('deleteObjects removes all objects that it is passed, ignores names that do not exist, and returns no failure', async (fixture) => {
    const place = await fixture.place()
    const names = Array.from({ length: 30 }, (_, n) => place.chunk(n + 1))
    await Promise.all(names.slice(0, 25).map((name) => place.put(name, noise(10))))
    await place.put(place.chunk(31), noise(10))
    assert.deepEqual(await fixture.driver.deleteObjects(place.container, names, {}), [])
    assert.deepEqual(
      await Promise.all(names.map((name) => place.exists(name))),
      names.map(() => false),
    )
    assert.equal(await place.exists(place.chunk(31)), true)
  })

  test('a container that lost its last object can be used again after putContainer', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(10))
    await place.delete(place.chunk(1))
    await fixture.driver.putContainer(place.container, {})
    await place.put(place.chunk(2), noise(10))
    assert.equal(await place.exists(place.chunk(2)), true)
  })
}
