import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ChunkChanges } from '../../src/backup/changed-runs.js'
import { HashList } from '../../src/format/hash-list.js'

const blockSizeBytes = 4
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const blocksOf = (bytes: Uint8Array): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / blockSizeBytes) }, (_, index) =>
    bytes.subarray(index * blockSizeBytes, (index + 1) * blockSizeBytes),
  )
const hashesOf = (bytes: Uint8Array): Uint8Array => Buffer.concat(blocksOf(bytes).map(sha256))

/** Compares a volume in pieces of a size. Returns the runs, and how often each piece was released. */
function feed(chunk: ChunkChanges, volume: Uint8Array, pieceSizeBytes: number) {
  const releases: number[] = []
  for (
    let offsetBytes = 0, index = 0;
    offsetBytes < volume.length;
    offsetBytes += pieceSizeBytes, index += 1
  ) {
    const bytes = volume.subarray(offsetBytes, offsetBytes + pieceSizeBytes)
    releases.push(0)
    const release = (): void => {
      releases[index] = (releases[index] ?? 0) + 1
    }
    const hashes = { sha256s: hashesOf(bytes), allZero: bytes.every((byte) => byte === 0) }
    chunk.add({ offsetBytes, bytes, release }, hashes)
  }
  return { runs: chunk.runs(), releases }
}

it('finds the same runs with the same bytes whatever the pieces are, and releases each piece once', () => {
  const volumes = fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(
      volumes,
      fc.integer({ min: 1, max: 12 }),
      fc.nat(3),
      fc.nat(3 * blockSizeBytes),
      (pairs, blocks, cut, mostGapBytes) => {
        // A gap that is stored has to be smaller than a piece.
        const joinGapBytes = Math.min(mostGapBytes, blocks * blockSizeBytes - 1)
        const whole = (values: number[]): Uint8Array =>
          Uint8Array.from(values.flatMap((value) => [value, 0, 0, 1]))
        const before = whole(pairs.map(([old]) => old))
        const now = whole(pairs.map(([, value]) => value)).subarray(0, pairs.length * blockSizeBytes - cut)
        const parent = (): HashList => {
          const list = new HashList()
          for (const block of blocksOf(before)) list.put(list.length, sha256(block))
          return list
        }
        const inOne = feed(new ChunkChanges(parent(), blockSizeBytes, joinGapBytes), now, now.length)
        const inPieces = feed(
          new ChunkChanges(parent(), blockSizeBytes, joinGapBytes),
          now,
          blocks * blockSizeBytes,
        )

        const shown = ({ runs }: typeof inOne): unknown =>
          runs.map(({ offsetBytes, lengthBytes, parts }) => ({
            offsetBytes,
            lengthBytes,
            bytes: Buffer.concat(parts).toString('hex'),
          }))
        expect(shown(inPieces)).toEqual(shown(inOne))
        for (const { offsetBytes, lengthBytes, parts } of inPieces.runs) {
          expect(Buffer.concat(parts).equals(now.subarray(offsetBytes, offsetBytes + lengthBytes))).toBe(true)
        }
        // Pieces without a change are released by now, the others with the last run in them.
        const held = inPieces.releases.filter((times) => times === 0).length
        expect(held === 0).toBe(inPieces.runs.length === 0)
        for (const run of inPieces.runs) run.release()
        expect(inPieces.releases.every((times) => times === 1)).toBe(true)
      },
    ),
  )
})
