import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  bufferVolume,
  streamVolume,
  type Compressor,
  type OperationOptions,
  type Progress,
} from '@stowage/backup-core'
import { PosixBackupDriver } from '@stowage/backup-posix'
import { bz2 } from '@stowage/compression-bz2'
import { zlib } from '@stowage/compression-zlib'
import { zstd } from '@stowage/compression-zstd'

const mib = 2 ** 20
/** One chunk: whatever moves, moves within it. */
const volume = new Uint8Array(20 * mib)
for (let at = 0; at < volume.length; at += 64) volume[at] = (at / 64) % 251

const folder = mkdtempSync(join(tmpdir(), 'stowage-progress-'))
let stores = 0

beforeEach(() => {
  // Reports come some time apart: here each look at the clock is that much later than the one before.
  let nowMs = 0
  vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 1000))
})
afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

function driverWith(compression: Compressor | null, maxMemoryBytes = 512 * mib): PosixBackupDriver {
  stores += 1
  return new PosixBackupDriver({
    path: join(folder, String(stores)),
    create: true,
    fsync: false,
    chunkSizeBytes: 32 * mib,
    container: 'backups',
    maxMemoryBytes,
    ...(compression ? { compression } : {}),
  })
}

/** Collects reports, and holds them to what is promised of each. */
function watch(): { options: OperationOptions; assertMoved: (expectedTotal: number) => void } {
  const reports: Progress[] = []
  return {
    options: { onProgress: (progress) => reports.push(progress) },
    assertMoved(expectedTotal) {
      let before = 0
      let largestStep = 0
      for (const { done, total, percent } of reports) {
        expect(done).toBeGreaterThanOrEqual(before)
        expect(done).toBeLessThanOrEqual(total ?? expectedTotal)
        expect(percent === undefined || percent <= 100).toBe(true)
        largestStep = Math.max(largestStep, done - before)
        before = done
      }
      expect(reports.at(-1)).toMatchObject({ done: expectedTotal, total: expectedTotal, percent: 100 })
      expect(reports.filter(({ percent }) => percent === 100)).toHaveLength(1)
      // No more at once than a step of a chunk.
      expect(largestStep / expectedTotal).toBeLessThanOrEqual(0.26)
    },
  }
}

const compressors: readonly [string, Compressor | null][] = [
  ['no compression', null],
  ['zlib', zlib({ level: 1 })],
  ['zlib on pako', zlib({ level: 1, engine: 'pako' })],
  ['bz2', bz2({ level: 1 })],
  ['zstd', zstd()],
]

describe.each(compressors)('with %s', (_name, compression) => {
  it('progress moves within a chunk of a backup, a restore and a full verification', async () => {
    const driver = driverWith(compression)
    const backup = watch()
    const full = await driver.backup({ volumeId: 'vol' }, bufferVolume(volume), backup.options)
    backup.assertMoved(volume.length)

    const restore = watch()
    const target = new Uint8Array(volume.length)
    await driver.restore(full, bufferVolume(target), restore.options)
    restore.assertMoved(volume.length)
    expect(Buffer.compare(target, volume)).toBe(0)

    const verify = watch()
    await driver.verify(full, { level: 'full', ...verify.options })
    verify.assertMoved(volume.length)

    const changed = Uint8Array.from(volume)
    changed.fill(7, 3 * mib, 15 * mib)
    const incremental = watch()
    await driver.backup({ volumeId: 'vol', incremental: true }, bufferVolume(changed), incremental.options)
    incremental.assertMoved(volume.length)
  })

  it('progress moves within a chunk of a stream, whose size nobody knows', async () => {
    const reports = watch()
    const pieces = Readable.from([volume.subarray(0, 13 * mib), volume.subarray(13 * mib)])
    await driverWith(compression).backup({ volumeId: 'vol' }, streamVolume(pieces), reports.options)
    reports.assertMoved(volume.length)
  })
})

it('progress moves within an object that memory does not hold, while it is read for its check too', async () => {
  const stored = driverWith(null)
  const full = await stored.backup({ volumeId: 'vol' }, bufferVolume(volume))
  const reader = new PosixBackupDriver({ path: join(folder, String(stores)), maxMemoryBytes: 8 * mib })
  const restore = watch()
  await reader.restore(full, bufferVolume(new Uint8Array(volume.length)), restore.options)
  restore.assertMoved(volume.length)
})

it('what a progress listener throws fails no operation', async () => {
  const driver = driverWith(zlib())
  let reports = 0
  const onProgress = (): never => {
    reports += 1
    throw new RangeError('the listener failed')
  }
  const { id } = await driver.backup({ volumeId: 'vol' }, bufferVolume(volume), { onProgress })
  const target = bufferVolume()
  await driver.restore(id, target, { onProgress })
  await driver.verify(id, { level: 'full', onProgress })
  await driver.deleteBackup(id, { onProgress })
  expect(Buffer.compare(target.bytes, volume)).toBe(0)
  expect(reports).toBeGreaterThan(4)
})
