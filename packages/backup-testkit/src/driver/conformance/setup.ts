import assert from 'node:assert/strict'
import { noise } from './bytes.js'
import { sameBytes } from './expectations.js'
import type { Area } from './suite.js'

/** checkForSetupError, capabilities and close. */
export const setup: Area = (test, options) => {
  test('the driver declares the capabilities of the suite’s options', ({ driver }) => {
    assert.deepEqual({ ...driver.capabilities }, { ...options.capabilities })
  })

  test('checkForSetupError finds nothing wrong with the store, and leaves nothing in it', async (fixture) => {
    const place = await fixture.place()
    await fixture.driver.checkForSetupError()
    assert.deepEqual(await place.list(), [])
  })

  test('createStore keeps existing objects, however often it is called', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(10))
    await fixture.driver.createStore()
    await (await fixture.open()).createStore()
    sameBytes(await place.get(place.chunk(1)), noise(10))
  })

  test('createStore makes a store that checkForSetupError accepts', async ({ driver }) => {
    await driver.createStore()
    await driver.checkForSetupError()
  })

  test('a driver can be closed without having done anything', async (fixture) => {
    const driver = await fixture.openUnowned()
    await driver.close()
  })
}
