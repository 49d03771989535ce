import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { joinNearbyRuns, compareAndReplaceHashes } from '../../src/backup/changed-runs.js'
import { HashList } from '../../src/format/hash-list.js'

const hashOf = (value: number): Uint8Array => createHash('sha256').update(String(value)).digest()
const packed = (values: readonly number[]): Uint8Array => Buffer.concat(values.map(hashOf))

it('finds the runs of changed blocks, chunk by chunk in any order, and leaves the new hashes in the list', () => {
  const blocks = fc.array(fc.nat(2), { maxLength: 40 })
  fc.assert(
    fc.property(
      blocks,
      blocks,
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      (old, now, size, each, backwards) => {
        const hashes = new HashList()
        for (const value of old) hashes.put(hashes.length, hashOf(value))
        const changed: number[] = []
        const firsts = Array.from({ length: Math.ceil(now.length / each) }, (_, index) => index * each)
        for (const first of backwards ? firsts.reverse() : firsts) {
          const chunk = now.slice(first, first + each)
          const lengthBytes = chunk.length * size
          let before = -1
          for (const run of compareAndReplaceHashes(hashes, packed(chunk), first, size, lengthBytes)) {
            expect(run.startBytes).toBeGreaterThan(before)
            before = run.endBytes
            for (let at = run.startBytes; at < run.endBytes; at += size) changed.push(first + at / size)
          }
        }
        expect(changed.sort((a, b) => a - b)).toEqual(
          now.flatMap((value, index) => (value === old[index] ? [] : [index])),
        )
        now.forEach((value, index) => {
          expect(hashes.equals(index, hashOf(value), 0)).toBe(true)
        })
      },
    ),
  )
})

it('ends the last run where a short chunk ends, not where its last block would', () => {
  const hashes = new HashList()
  expect(compareAndReplaceHashes(hashes, packed([1, 2]), 0, 100, 130)).toEqual([
    { startBytes: 0, endBytes: 130 },
  ])
})

it('leaves up to eight runs of a chunk as Cinder lays them out', () => {
  const runs = Array.from({ length: 8 }, (_, index) => ({
    startBytes: index * 20,
    endBytes: index * 20 + 10,
  }))
  expect(joinNearbyRuns(runs, 1024 * 1024)).toEqual(runs.map((run) => ({ ...run, gapBytes: 0 })))
})

it('stores no gap to make a run longer than ten mebibytes', () => {
  const mib = 1024 * 1024
  // Changes of a quarter of a mebibyte, and gaps of three quarters: a run of ten of them would end at 9.25 MiB.
  const runs = Array.from({ length: 45 }, (_, index) => ({
    startBytes: index * mib,
    endBytes: index * mib + mib / 4,
  }))
  const joined = joinNearbyRuns(runs, mib)
  expect(joined.length).toBeLessThan(runs.length / 3)
  for (const { startBytes, endBytes } of joined) expect(endBytes - startBytes).toBeLessThanOrEqual(10 * mib)
  for (const run of runs) {
    expect(
      joined.some(({ startBytes, endBytes }) => startBytes <= run.startBytes && endBytes >= run.endBytes),
    ).toBe(true)
  }
})

it('joins the nearest of many runs, until eight are left or the gaps are dear', () => {
  const gap = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1024 * 1024 + 1, max: 2 ** 22 }))
  fc.assert(
    fc.property(fc.array(fc.tuple(gap, fc.integer({ min: 1, max: 50 })), { maxLength: 60 }), (pairs) => {
      let at = 0
      const runs = pairs.map(([gapBytes, lengthBytes]) => {
        const startBytes = at + gapBytes
        at = startBytes + lengthBytes
        return { startBytes, endBytes: at }
      })
      const joined = joinNearbyRuns(runs, 1024 * 1024)
      const cheap = pairs.slice(1).filter(([gapBytes]) => gapBytes <= 1024 * 1024).length
      expect(joined).toHaveLength(runs.length - Math.min(cheap, Math.max(0, runs.length - 8)))
      for (const run of runs) {
        expect(
          joined.some((whole) => whole.startBytes <= run.startBytes && whole.endBytes >= run.endBytes),
        ).toBe(true)
      }
      joined.slice(1).forEach((run, index) => {
        expect(run.startBytes).toBeGreaterThan(joined[index]!.endBytes)
      })
      // What a joined run holds beside the changes in it is what it says of its gaps.
      for (const { startBytes, endBytes, gapBytes } of joined) {
        const within = runs.filter((run) => run.startBytes >= startBytes && run.endBytes <= endBytes)
        const changedBytes = within.reduce((sum, run) => sum + run.endBytes - run.startBytes, 0)
        expect(gapBytes).toBe(endBytes - startBytes - changedBytes)
      }
      expect(joined[0]?.startBytes).toBe(runs[0]?.startBytes)
      expect(joined.at(-1)?.endBytes).toBe(runs.at(-1)?.endBytes)
    }),
  )
})
