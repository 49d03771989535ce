import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { noise } from './bytes.js'
import { sameBytes } from './expectations.js'
import type { Area } from './suite.js'

/** generateObjectNamePrefix, updateContainerName and getExtraMetadata. */
export const naming: Area = (test, options) => {
  test('the prefix contains the id of the backup', (fixture) => {
    const { driver } = fixture
    const backup = fixture.newBackup()
    assert.ok(driver.generateObjectNamePrefix(backup).includes(backup.id))
  })

  test('the prefix depends on the backup alone: it is the same at any time, and in another driver', async (fixture) => {
    const backup = fixture.newBackup()
    const other = await fixture.open()
    assert.equal(other.generateObjectNamePrefix(backup), fixture.driver.generateObjectNamePrefix(backup))
  })

  test('two backups of one volume in the same second have prefixes of which neither begins with the other', (fixture) => {
    const { driver } = fixture
    const volumeId = randomUUID()
    const one = driver.generateObjectNamePrefix(fixture.newBackup({ volumeId }))
    const two = driver.generateObjectNamePrefix(fixture.newBackup({ volumeId }))
    assert.ok(!one.startsWith(two) && !two.startsWith(one), `${one} and ${two}`)
  })

  test('the prefix makes valid names: no NUL, no "..", no slash at an end, and not too long', (fixture) => {
    const { driver } = fixture
    const prefix = driver.generateObjectNamePrefix(fixture.newBackup())
    const longest = Math.max(
      ...['_sha256file', '_metadata', '-0000001'].map((end) => Buffer.byteLength(prefix + end)),
    )
    assert.ok(prefix !== '' && !prefix.includes('\0') && !/^\/|\/$/.test(prefix), prefix)
    assert.ok(!prefix.split('/').includes('..'), prefix)
    assert.ok(longest <= (options.capabilities.maxObjectNameBytes ?? 1024), `${longest} bytes`)
  })

  test('updateContainerName gives the same container each time', (fixture) => {
    const { driver } = fixture
    const backup = fixture.newBackup()
    const container = driver.updateContainerName(backup, backup.container)
    assert.equal(driver.updateContainerName(backup, backup.container), container)
  })

  test('a container that the driver chooses takes objects', async (fixture) => {
    const backup = fixture.newBackup({ container: null })
    const container = fixture.driver.updateContainerName(backup, null) ?? fixture.containerName()
    const place = await fixture.place({ ...backup, container })
    assert.equal(place.container, container)
    await place.put(place.chunk(1), noise(10))
    sameBytes(await place.get(place.chunk(1)), noise(10))
    await place.delete(place.chunk(1))
  })

  test('extra metadata is null, or an object that JSON keeps as it is', async (fixture) => {
    const { driver } = fixture
    const extraMetadata = await driver.getExtraMetadata(fixture.newBackup())
    assert.ok(extraMetadata === null || (typeof extraMetadata === 'object' && !Array.isArray(extraMetadata)))
    assert.deepEqual(JSON.parse(JSON.stringify(extraMetadata)), extraMetadata)
  })

  test('an object that was written with extra metadata is read with what JSON kept of it', async (fixture) => {
    const place = await fixture.place()
    await place.put(place.chunk(1), noise(5000))
    const extraMetadata = JSON.parse(JSON.stringify(place.extraMetadata)) as typeof place.extraMetadata
    const reader = await fixture.driver.getObjectReader(place.container, place.chunk(1), { extraMetadata })
    sameBytes(await reader.read().finally(() => reader.close?.()), noise(5000))
  })
}
