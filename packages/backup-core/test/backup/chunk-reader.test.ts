import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bufferVolume, type OpenSource, type VolumeExtent } from '@stowage/backup-core'
import { ChunkReader, type ChunkReaderOptions } from '../../src/backup/chunk-reader.js'
import type { VolumeChunk } from '../../src/backup/volume-chunks.js'
import { BufferPool } from '../../src/pipeline/buffer-pool.js'
import { seededBytes } from '../engine/volumes.js'

const blockSizeBytes = 512
const piecesInMemory = 6
const ignore = (): void => undefined

async function optionsFor(
  volume: Uint8Array,
  pieceBlocks: number,
  more: Partial<ChunkReaderOptions> & { readonly contiguous?: boolean } = {},
): Promise<ChunkReaderOptions> {
  const pieceSizeBytes = pieceBlocks * blockSizeBytes
  const { contiguous = false, ...others } = more
  return {
    source: await bufferVolume(volume).openSource({}),
    plan: { pieceSizeBytes, piecesInMemory, contiguous },
    blockSizeBytes,
    withMd5: true,
    zeros: new Uint8Array(new SharedArrayBuffer(pieceSizeBytes)),
    buffers: new BufferPool(0),
    signal: new AbortController().signal,
    onProgress: ignore,
    onRelease: ignore,
    ...others,
  }
}

function chunkOf(
  lengthBytes: number,
  offsetBytes = 0,
  data: readonly VolumeExtent[] = [{ offsetBytes, lengthBytes }],
  changes?: readonly VolumeExtent[],
): VolumeChunk {
  return { number: 1, offsetBytes, lengthBytes, data, changes, onReadEnd: ignore }
}

/** A pool that knows which of its buffers are in use. */
class CountingPool extends BufferPool {
  readonly inUse = new Set<ArrayBufferLike>()

  constructor() {
    super(0)
  }

  override take(lengthBytes: number): Uint8Array {
    const buffer = super.take(lengthBytes)
    this.inUse.add(buffer.buffer)
    return buffer
  }

  override release(buffer: Uint8Array): void {
    expect(this.inUse.delete(buffer.buffer)).toBe(true)
    super.release(buffer)
  }
}

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

const sha256sOf = (bytes: Uint8Array): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(bytes.length / blockSizeBytes) }, (_, block) =>
      createHash('sha256')
        .update(bytes.subarray(block * blockSizeBytes, (block + 1) * blockSizeBytes))
        .digest(),
    ),
  )

it('yields a chunk’s bytes and hashes, wherever it lies, however it is cut and wherever its data is', async () => {
  const steps = fc.array(fc.tuple(fc.nat(3000), fc.nat(3000)), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(
      fc.nat(20),
      fc.integer({ min: 1, max: 30_000 }),
      fc.integer({ min: 1, max: 8 }),
      steps,
      fc.record({ contiguous: fc.boolean(), withMd5: fc.boolean() }),
      async (blocksBefore, lengthBytes, pieceBlocks, found, manner) => {
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
        const buffers = new CountingPool()
        const reader = new ChunkReader(
          chunkOf(lengthBytes, offsetBytes, data),
          await optionsFor(volume, pieceBlocks, {
            ...manner,
            buffers,
            onProgress: (readBytes, hashedBytes) => {
              expect(hashedBytes).toBeLessThanOrEqual(readBytes)
              hashedTo.push(hashedBytes)
            },
          }),
        )
        const given: Buffer[] = []
        const sha256s: Uint8Array[] = []
        for await (const { bytes, hashes, offsetBytes: at } of reader.pieces()) {
          expect(at).toBe(offsetBytes + given.reduce((sum, { length }) => sum + length, 0))
          given.push(Buffer.from(bytes))
          const found = await hashes
          sha256s.push(found.sha256s)
          expect(found.allZero).toBe(bytes.every((byte) => byte === 0))
        }
        expect(Buffer.concat(given).equals(expected)).toBe(true)
        expect(await reader.md5).toBe(manner.withMd5 ? md5(expected) : undefined)
        expect(Buffer.concat(sha256s).equals(sha256sOf(expected))).toBe(true)
        expect(hashedTo.at(-1)).toBe(lengthBytes)
        await reader.close()
        expect(buffers.inUse.size).toBe(0)
      },
    ),
  )
})

it('puts all pieces of a contiguous chunk into one buffer, and returns it with the last release', async () => {
  const volume = seededBytes(9 * blockSizeBytes)
  const buffers = new CountingPool()
  let releasedBytes = 0
  const options = await optionsFor(volume, 2, {
    contiguous: true,
    buffers,
    onRelease: (lengthBytes) => (releasedBytes += lengthBytes),
  })
  const reader = new ChunkReader(chunkOf(volume.length), options)
  const pieces = []
  for await (const piece of reader.pieces()) pieces.push(piece)
  expect(new Set(pieces.map(({ bytes }) => bytes.buffer)).size).toBe(1)
  expect(buffers.inUse.size).toBe(1)
  for (const { release } of pieces) {
    release()
    release()
  }
  expect(buffers.inUse.size).toBe(0)
  expect(releasedBytes).toBe(volume.length)
  await reader.close()
})

it('leaves out the pieces that have no changes, and counts them as read and hashed', async () => {
  const volume = seededBytes(10 * blockSizeBytes)
  const changes = [{ offsetBytes: 5 * blockSizeBytes - 1, lengthBytes: 2 }]
  let counted: readonly number[] = []
  const options = await optionsFor(volume, 2, { withMd5: false, onProgress: (...now) => (counted = now) })
  const chunk = chunkOf(volume.length, 0, [{ offsetBytes: 0, lengthBytes: volume.length }], changes)
  const reader = new ChunkReader(chunk, options)
  const offsets: number[] = []
  for await (const { offsetBytes, hashes } of reader.pieces()) {
    offsets.push(offsetBytes)
    await hashes
  }
  expect(offsets).toEqual([4 * blockSizeBytes])
  expect(counted).toEqual([volume.length, volume.length])
  await reader.close()
})

it.each([0, 1, 2, 3, 4, 5, 6, 7, 100])(
  'ends where a stream ends, %i bytes into the last piece',
  async (rest) => {
    const volume = seededBytes(4 * blockSizeBytes + rest)
    const buffers = new CountingPool()
    const options = await optionsFor(volume, 1, { buffers })
    let reading = 0
    const source: OpenSource = {
      sizeBytes: undefined,
      seekable: false,
      read: async (into, offsetBytes) => {
        reading += 1
        expect(reading).toBe(1)
        await new Promise(setImmediate)
        const part = volume.subarray(offsetBytes, offsetBytes + into.length)
        into.set(part)
        reading -= 1
        return part.length
      },
      close: () => Promise.resolve(),
    }
    const reader = new ChunkReader(chunkOf(20 * blockSizeBytes), { ...options, source })
    const given: Buffer[] = []
    for await (const { bytes } of reader.pieces()) given.push(Buffer.from(bytes))
    expect(Buffer.concat(given).equals(volume)).toBe(true)
    expect(await reader.md5).toBe(md5(volume))
    await reader.close()
    expect(buffers.inUse.size).toBe(0)
  },
)

it('reads at most a number of pieces ahead of the consumer, and has no MD5 before the last', async () => {
  const volume = seededBytes(20 * blockSizeBytes)
  let readBytes = 0
  const options = await optionsFor(volume, 1)
  const source: OpenSource = {
    sizeBytes: volume.length,
    seekable: true,
    read: async (into, offsetBytes) => {
      const got = await options.source.read(into, offsetBytes)
      readBytes += got
      return got
    },
    close: () => Promise.resolve(),
  }
  const reader = new ChunkReader(chunkOf(volume.length), { ...options, source })
  let taken = 0
  for await (const { bytes } of reader.pieces()) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    taken += bytes.length
    const aheadBytes = piecesInMemory * blockSizeBytes
    expect(readBytes).toBe(Math.min(volume.length, taken - bytes.length + aheadBytes))
    expect(reader.md5 === undefined).toBe(taken < volume.length)
  }
  expect(taken).toBe(volume.length)
  await reader.close()
})

it('fails with the error of the source at the piece that it concerns, and leaves no memory in use', async () => {
  const volume = seededBytes(9 * blockSizeBytes)
  const buffers = new CountingPool()
  const options = await optionsFor(volume, 1, { buffers })
  const source: OpenSource = {
    ...options.source,
    seekable: true,
    sizeBytes: volume.length,
    read: (into, offsetBytes) =>
      offsetBytes === 4 * blockSizeBytes
        ? Promise.reject(new Error('the disk is gone'))
        : options.source.read(into, offsetBytes),
  }
  const reader = new ChunkReader(chunkOf(volume.length), { ...options, source })
  let taken = 0
  const take = async (): Promise<void> => {
    for await (const { bytes } of reader.pieces()) taken += bytes.length
  }
  await expect(take()).rejects.toThrow('the disk is gone')
  expect(taken).toBe(4 * blockSizeBytes)
  expect(reader.md5).toBeUndefined()
  await reader.close()
  expect(buffers.inUse.size).toBe(0)
})

it('yields no piece after it was closed, since its memory may be in use elsewhere', async () => {
  const volume = seededBytes(9 * blockSizeBytes)
  const reader = new ChunkReader(chunkOf(volume.length), await optionsFor(volume, 1))
  const pieces = reader.pieces()
  expect((await pieces.next()).done).toBe(false)
  await reader.close()
  await expect(pieces.next()).rejects.toMatchObject({ code: 'ABORTED' })
})
