import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { bufferVolume, type ChunkedDriverOptions } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { concurrencyFor, concurrencyFrom, SMALL_OBJECT_BYTES, Slots } from '../../src/pipeline/slots.js'
import { seededBytes } from '../engine/volumes.js'
import { mapConcurrently } from '../../src/pipeline/map-concurrently.js'

/** Counts how many of some tasks run at once. */
function gauge() {
  let running = 0
  let most = 0
  const task = async (): Promise<void> => {
    running += 1
    most = Math.max(most, running)
    await sleep(2)
    running -= 1
  }
  return { task, most: () => most }
}

describe('slots', () => {
  it('let as many chunks and small objects run as was said, each kind by itself', async () => {
    const slots = new Slots({ chunks: 2, smallObjects: 5 })
    const [chunks, small] = [gauge(), gauge()]
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        Promise.all([
          slots.run(SMALL_OBJECT_BYTES + 1 + index, chunks.task),
          slots.run(SMALL_OBJECT_BYTES - index, small.task),
        ]),
      ),
    )
    expect([chunks.most(), small.most()]).toEqual([2, 5])
  })

  it('are what the caller chose for both, or a chunk a core and eight small objects', () => {
    expect(concurrencyFrom(1)).toEqual({ chunks: 1, streamedChunks: 1, smallObjects: 1 })
    expect(concurrencyFrom(20)).toEqual({ chunks: 20, streamedChunks: 20, smallObjects: 20 })
    const { chunks, streamedChunks, smallObjects } = concurrencyFrom(undefined)
    expect(streamedChunks).toBe(Math.max(4, chunks))
    expect(chunks).toBeGreaterThanOrEqual(2)
    expect(chunks).toBeLessThanOrEqual(8)
    expect(smallObjects).toBe(8)
    expect(concurrencyFor({ chunks: 2, smallObjects: 8 }, SMALL_OBJECT_BYTES)).toBe(8)
    expect(concurrencyFor({ chunks: 2, smallObjects: 8 }, SMALL_OBJECT_BYTES + 1)).toBe(2)
  })
})

/** A driver that counts how many objects it writes and reads at once. */
class Gauged extends MemoryBackupDriver {
  readonly writes = gauge()
  readonly reads = gauge()

  override async getObjectWriter(...args: Parameters<MemoryBackupDriver['getObjectWriter']>) {
    if (/-\d{5}$/.test(args[1])) await this.writes.task()
    return super.getObjectWriter(...args)
  }

  override async getObjectReader(...args: Parameters<MemoryBackupDriver['getObjectReader']>) {
    if (/-\d{5}$/.test(args[1])) await this.reads.task()
    return super.getObjectReader(...args)
  }
}

describe('small objects', () => {
  const kib = 1024
  const sizes: ChunkedDriverOptions = { blockSizeBytes: 4 * kib, chunkSizeBytes: 8 * kib }
  const before = seededBytes(400 * kib, 1)

  for (const [what, chosen, most] of [
    ['eight at once', undefined, 8],
    ['as many at once as the caller chose', 3, 3],
  ] as const) {
    it(`are stored and fetched ${what}`, async () => {
      const driver = new Gauged({ ...sizes, ...(chosen === undefined ? {} : { concurrency: chosen }) })
      const record = await driver.backup({ volumeId: 'volume' }, bufferVolume(before))
      const target = bufferVolume()
      await driver.restore(record, target)
      expect(Buffer.compare(target.bytes, before)).toBe(0)
      expect([driver.writes.most(), driver.reads.most()]).toEqual([most, most])
    })
  }

  it('of an incremental with large chunks are stored eight at once', async () => {
    const driver = new Gauged({ blockSizeBytes: 4 * kib, chunkSizeBytes: 400 * kib, joinGapBytes: 0 })
    const full = await driver.backup({ volumeId: 'volume' }, bufferVolume(before))
    const now = Uint8Array.from(before)
    for (let at = 0; at < now.length; at += 12 * kib) now[at] = (now[at] ?? 0) ^ 1
    const record = await driver.backup({ volumeId: 'volume', parent: full.id }, bufferVolume(now))
    expect(record.objectCount).toBe(34)
    expect(driver.writes.most()).toBe(8)
    const target = bufferVolume()
    await driver.restore(record, target)
    expect(Buffer.compare(target.bytes, now)).toBe(0)
  })
})

describe('mapConcurrently', () => {
  it('works on as many items concurrently as it may, and returns the results in their order', async () => {
    const { task, most } = gauge()
    const items = Array.from({ length: 20 }, (_, index) => index)
    const results = await mapConcurrently(items, async (item) => (await task(), item * 2), 3)
    expect(results).toEqual(items.map((item) => item * 2))
    expect(most()).toBe(3)
  })

  it('begins no item after a failure, and waits for those that had begun', async () => {
    const begun: number[] = []
    const ended: number[] = []
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const mapping = mapConcurrently(
      [0, 1, 2, 3],
      async (item) => {
        begun.push(item)
        if (item === 1) throw new Error('the second failed')
        await released
        ended.push(item)
      },
      2,
    )
    release()
    await expect(mapping).rejects.toThrow('the second failed')
    expect(begun).toEqual([0, 1])
    expect(ended).toEqual([0])
  })

  it('returns nothing for no items', async () => {
    expect(await mapConcurrently([], () => Promise.resolve(1))).toEqual([])
  })
})
