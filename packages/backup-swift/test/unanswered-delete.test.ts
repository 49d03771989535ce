import { expect, test } from 'vitest'
import { SwiftBackupDriver } from '../src/index.js'
import { TestCloud, type Fault } from '../../../test-fixtures/test-cloud/index.js'
import { demoPassword, fast } from './support.js'

/** Deletes an object while a fault strikes once. @returns how often the caller was told of a request without an answer */
async function unansweredOf(fault: Fault | undefined): Promise<number> {
  await using cloud = await TestCloud.start()
  await using driver = new SwiftBackupDriver({
    ...fast,
    credentials: demoPassword(cloud),
    container: 'nightly',
  })
  await driver.putContainer('nightly', {})
  if (fault) cloud.faults.add({ fault, when: ({ method }) => method === 'DELETE' })
  let told = 0
  await driver.deleteObject('nightly', 'an-object', {
    onUnanswered: () => {
      told += 1
    },
  })
  expect(cloud.requests.filter(({ method }) => method === 'DELETE')).toHaveLength(fault ? 2 : 1)
  return told
}

test('a delete that is sent again tells its caller of the request that had no answer, which may arrive late', async () => {
  expect(await unansweredOf(undefined)).toBe(0)
  for (const kind of ['stall', 'reset-before', 'reset-after'] as const) {
    expect(await unansweredOf({ kind }), kind).toBe(1)
  }
})
