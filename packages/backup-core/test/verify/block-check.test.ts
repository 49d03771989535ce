import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HashList } from '../../src/format/hash-list.js'
import { sha256 } from '../../src/hash/chunk-hasher.js'
import { BlockCheck } from '../../src/verify/run-verify.js'

function hashesOf(volume: Uint8Array, blockSizeBytes: number): HashList {
  const hashes = new HashList()
  for (let at = 0; at < volume.length; at += blockSizeBytes)
    hashes.put(hashes.length, sha256(volume.subarray(at, at + blockSizeBytes)))
  return hashes
}

const cutVolume = fc
  .tuple(
    fc.uint8Array({ minLength: 1, maxLength: 500 }),
    fc.array(fc.nat(499), { maxLength: 12 }),
    fc.integer({ min: 1, max: 90 }),
  )
  .map(([volume, cuts, blockSizeBytes]) => {
    const edges = [...new Set([0, ...cuts.filter((cut) => cut < volume.length), volume.length])].sort(
      (a, b) => a - b,
    )
    return { volume, edges, blockSizeBytes }
  })

it('accepts a volume in any pieces and order, checking each block once', async () => {
  await fc.assert(
    fc.asyncProperty(cutVolume, fc.boolean(), async ({ volume, edges, blockSizeBytes }, backwards) => {
      const check = new BlockCheck(hashesOf(volume, blockSizeBytes), blockSizeBytes, volume.length)
      const pieces = edges.slice(0, -1).map((start, index) => [start, edges[index + 1]!] as const)
      for (const [start, end] of backwards ? pieces.reverse() : pieces)
        await check.add(volume.subarray(start, end), start)
      expect(check.badExtents(100)).toEqual([])
      expect(check.blocksChecked).toBe(Math.ceil(volume.length / blockSizeBytes))
    }),
  )
})

it('reports the block of a single wrong byte', async () => {
  await fc.assert(
    fc.asyncProperty(cutVolume, fc.nat(499), async ({ volume, edges, blockSizeBytes }, place) => {
      const at = place % volume.length
      const hashes = hashesOf(volume, blockSizeBytes)
      const damaged = Uint8Array.from(volume)
      damaged[at]! ^= 0x40
      const check = new BlockCheck(hashes, blockSizeBytes, volume.length)
      for (let index = 0; index + 1 < edges.length; index += 1) {
        await check.add(damaged.subarray(edges[index], edges[index + 1]), edges[index]!)
      }
      const offsetBytes = Math.floor(at / blockSizeBytes) * blockSizeBytes
      expect(check.badExtents(100)).toEqual([
        { offsetBytes, lengthBytes: Math.min(blockSizeBytes, volume.length - offsetBytes) },
      ])
    }),
  )
})

it('treats an extent without objects as zeros, also within a block', async () => {
  const volume = new Uint8Array(1000)
  volume.fill(3, 0, 130)
  volume.fill(4, 777)
  const check = new BlockCheck(hashesOf(volume, 64), 64, volume.length)
  await check.add(volume.subarray(0, 130), 0)
  await check.addZeros({ offsetBytes: 130, lengthBytes: 647 })
  await check.add(volume.subarray(777), 777)
  expect(check.badExtents(100)).toEqual([])
  expect(check.blocksChecked).toBe(16)
})
