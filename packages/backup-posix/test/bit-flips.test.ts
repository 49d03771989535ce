import { expect, test } from 'vitest'
import { measureTable, type FlipFixture } from '../../../test-fixtures/bit-flips/flip-table.js'
import { cinderFixture, stowageFixture } from './bit-flip-fixtures.js'

/** `bit-flips.slow.test.ts` takes 1,200 for each object. */
const flips = 20

test.each<[string, () => Promise<FlipFixture>]>([
  ['Stowage', stowageFixture],
  ['Cinder', cinderFixture],
])('a flipped bit in a JSON object that %s wrote restores no other bytes (A5)', async (_writer, make) => {
  for (const { name, result } of await measureTable(await make(), flips)) {
    expect.soft(result.silent, name).toEqual([])
    expect.soft(result.counts.warnedWrong, name).toBe(0)
    // A hash list is not needed to restore.
    if (name.includes('_sha256file')) expect.soft(result.counts.refused, name).toBe(0)
  }
})
