import { describe, expect, it } from 'vitest'
import { bufferVolume, type Progress, type ProgressListener } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { changed, seededBytes } from './volumes.js'

const before = seededBytes(9000)

/** The steps of the reports, each run of equal ones once. */
function recorder(): { readonly onProgress: ProgressListener; readonly steps: (string | undefined)[] } {
  const steps: (string | undefined)[] = []
  const onProgress = ({ step }: Progress): void => {
    if (steps.length === 0 || steps.at(-1) !== step) steps.push(step)
  }
  return { onProgress, steps }
}

describe('the steps of progress in which no bytes of the volume move', () => {
  it('are those before and after the bytes of a backup and a restore', async () => {
    const driver = new MemoryBackupDriver({ blockSizeBytes: 512, chunkSizeBytes: 2048 })
    const [full, next, restore] = [recorder(), recorder(), recorder()]
    await driver.backup({ volumeId: 'v', backupId: 'full' }, before, { onProgress: full.onProgress })
    await driver.backup({ volumeId: 'v', parent: 'full' }, changed(before, 100, 700), {
      onProgress: next.onProgress,
    })
    await driver.restore('full', bufferVolume(), { onProgress: restore.onProgress })
    expect(full.steps).toEqual([undefined, 'store-hash-list', 'store-metadata', undefined])
    expect(next.steps).toEqual(['read-parent', undefined, 'store-hash-list', 'store-metadata', undefined])
    expect(restore.steps).toEqual([undefined, 'sync-target', undefined])
  })
})
