import assert from 'node:assert/strict'
import type { Area } from './suite.js'

/** checkForSetupError, capabilities and close. */
export const setup: Area = (test, options) => {
  test('the driver declares the capabilities that the suite was given', ({ driver }) => {
    assert.deepEqual({ ...driver.capabilities }, { ...options.capabilities })
  })

  test('checkForSetupError finds nothing wrong with the store, and leaves nothing in it', async (fixture) => {
    const place = await fixture.place()
    await fixture.driver.checkForSetupError()
    assert.deepEqual(await place.list(), [])
  })

  test('a driver can be closed without having done anything', async (fixture) => {
    const driver = await fixture.openUnowned()
    await driver.close()
  })
}
