import { expect, test } from 'vitest'
import { flipRow } from '../../../test-fixtures/bit-flips/bit-flips.js'
import { measureTable, type FlipFixture } from '../../../test-fixtures/bit-flips/flip-table.js'
import { cinderFixture, stowageFixture } from './bit-flip-fixtures.js'

const flips = Number(process.env['STOWAGE_BIT_FLIPS'] ?? 1200)

test.each<[string, () => Promise<FlipFixture>]>([
  ['Stowage', stowageFixture],
  ['Cinder', cinderFixture],
])(
  'no flipped bit in a JSON object that %s wrote restores other bytes in silence',
  { timeout: 600_000 },
  async (writer, make) => {
    const rows = await measureTable(await make(), flips)
    for (const { name, result } of rows) console.log(flipRow(`${writer}, POSIX: ${name}`, result))
    for (const { name, result } of rows) expect.soft(result.silent, name).toEqual([])
  },
)
