import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bufferVolume, type OpenSource, type VolumeExtent } from '@stowage/backup-core'
import { ChunkPass, type ChunkMeans, type ChunkPlace } from '../../src/backup/chunk-pass.js'
import { Zeros } from '../../src/backup/fill-piece.js'
import { BufferPool } from '../../src/pipeline/buffer-pool.js'
import { READ_AHEAD_PIECES } from '../../src/pipeline/memory-plan.js'
import { seededBytes } from '../engine/volumes.js'

const blockSizeBytes = 512

async function meansFor(volume: Uint8Array, pieceBlocks: number, signal?: AbortSignal): Promise<ChunkMeans> {
  const pieceSizeBytes = pieceBlocks * blockSizeBytes
  return {
    source: await bufferVolume(volume).openSource({}),
    blockSizeBytes,
    pieceSizeBytes,
    zeros: new Zeros(pieceSizeBytes),
    buffers: new BufferPool('raw', 0),
    signal: signal ?? new AbortController().signal,
  }
}

const whole = (volume: Uint8Array): ChunkPlace => ({
  number: 1,
  offsetBytes: 0,
  lengthBytes: volume.length,
  data: [{ offsetBytes: 0, lengthBytes: volume.length }],
})

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')

/** Extents with gaps between them, from the lengths of each in turn. */
function extentsOf(steps: readonly (readonly [number, number])[], endBytes: number): VolumeExtent[] {
  const extents: VolumeExtent[] = []
  let at = 0
  for (const [gapBytes, lengthBytes] of steps) {
    const offsetBytes = at + gapBytes
    if (offsetBytes + lengthBytes > endBytes) break
    extents.push({ offsetBytes, lengthBytes })
    at = offsetBytes + lengthBytes
  }
  return extents
}

it('gives a chunk’s bytes and hashes, wherever it lies, however it is cut and wherever its data is', async () => {
  const steps = fc.array(fc.tuple(fc.nat(3000), fc.nat(3000)), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(
      fc.nat(20),
      fc.integer({ min: 1, max: 30_000 }),
      fc.integer({ min: 1, max: 8 }),
      steps,
      async (blocksBefore, lengthBytes, pieceBlocks, found) => {
        const offsetBytes = blocksBefore * blockSizeBytes
        const all = extentsOf(found, offsetBytes + lengthBytes)
        const volume = new Uint8Array(offsetBytes + lengthBytes)
        for (const { offsetBytes: at, lengthBytes: length } of all) volume.set(seededBytes(length, at), at)
        const data = all.filter((extent) => extent.offsetBytes >= offsetBytes)
        const expected = volume.slice(offsetBytes)
        // What of an extent lies before the chunk is not the chunk's.
        const firstBytes = data[0]?.offsetBytes ?? volume.length
        expected.fill(0, 0, firstBytes - offsetBytes)
        const hashedTo: number[] = []
        const pass = new ChunkPass(
          { number: 1, offsetBytes, lengthBytes, data },
          await meansFor(volume, pieceBlocks),
          (endBytes) => hashedTo.push(endBytes),
        )
        const given: Buffer[] = []
        for await (const piece of pass.pieces()) given.push(Buffer.from(piece))
        expect(Buffer.concat(given).equals(expected)).toBe(true)
        expect(await pass.md5).toBe(md5(expected))
        const sha256s: Buffer[] = []
        for (let at = 0; at < lengthBytes; at += blockSizeBytes)
          sha256s.push(
            createHash('sha256')
              .update(expected.subarray(at, at + blockSizeBytes))
              .digest(),
          )
        expect(Buffer.concat(sha256s).equals(pass.sha256s)).toBe(true)
        expect(hashedTo.at(-1)).toBe(lengthBytes)
        expect(hashedTo).toEqual([...hashedTo].sort((a, b) => a - b))
        await pass.close()
      },
    ),
  )
})

it('is at most so many pieces ahead of whoever takes them, and knows no MD5 before the last', async () => {
  const volume = seededBytes(20 * blockSizeBytes)
  let readBytes = 0
  const means = await meansFor(volume, 1)
  const source: OpenSource = {
    sizeBytes: volume.length,
    seekable: true,
    read: async (into, offsetBytes) => {
      const got = await means.source.read(into, offsetBytes)
      readBytes += got
      return got
    },
    close: () => Promise.resolve(),
  }
  const pass = new ChunkPass(whole(volume), { ...means, source }, () => undefined)
  let taken = 0
  for await (const piece of pass.pieces()) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    taken += piece.length
    const aheadBytes = READ_AHEAD_PIECES * blockSizeBytes
    expect(readBytes).toBe(Math.min(volume.length, taken - piece.length + aheadBytes))
    expect(pass.md5 === undefined).toBe(taken < volume.length)
  }
  expect(taken).toBe(volume.length)
})

it('fails with what the source says, at the piece that it says it of, and leaves no memory in use', async () => {
  const volume = seededBytes(9 * blockSizeBytes)
  const means = await meansFor(volume, 1)
  const inUse = new Set<ArrayBufferLike>()
  class Counted extends BufferPool {
    override take(lengthBytes: number): Uint8Array {
      const buffer = super.take(lengthBytes)
      inUse.add(buffer.buffer)
      return buffer
    }
    override give(buffer: Uint8Array): void {
      expect(inUse.delete(buffer.buffer)).toBe(true)
      super.give(buffer)
    }
  }
  const source: OpenSource = {
    ...means.source,
    seekable: true,
    sizeBytes: volume.length,
    read: (into, offsetBytes) =>
      offsetBytes === 4 * blockSizeBytes
        ? Promise.reject(new Error('the disk is gone'))
        : means.source.read(into, offsetBytes),
  }
  const pass = new ChunkPass(
    whole(volume),
    { ...means, source, buffers: new Counted('raw', 0) },
    () => undefined,
  )
  let taken = 0
  const take = async (): Promise<void> => {
    for await (const piece of pass.pieces()) taken += piece.length
  }
  await expect(take()).rejects.toThrow('the disk is gone')
  expect(taken).toBe(4 * blockSizeBytes)
  expect(pass.md5).toBeUndefined()
  await pass.close()
  expect(inUse.size).toBe(0)
})

it('gives no piece after it was closed: its memory is others’ by then', async () => {
  const volume = seededBytes(9 * blockSizeBytes)
  const pass = new ChunkPass(whole(volume), await meansFor(volume, 1), () => undefined)
  const pieces = pass.pieces()
  expect((await pieces.next()).done).toBe(false)
  await pass.close()
  await expect(pieces.next()).rejects.toMatchObject({ code: 'ABORTED' })
})
