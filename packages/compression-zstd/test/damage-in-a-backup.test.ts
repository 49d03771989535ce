import { isBackupError } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { beforeAll, describe, expect, it } from 'vitest'
import { zstd } from '@stowage/compression-zstd'
import { header, windowOfLog, zerosFrame } from './hand-made.js'

const mib = 1024 * 1024
const container = 'volumebackups'

/** Hostile objects in the place of one that holds 42 MiB, more than half of the memory that a restore may take. */
const objects: Readonly<Record<string, () => Uint8Array>> = {
  'a frame with a window of 2 GiB': () => zerosFrame(336, { window: windowOfLog(31) }),
  '200,000 empty frames': () =>
    Buffer.concat(
      Array.from({ length: 200_000 }, () =>
        Buffer.concat([header({ contentBytes: 0n }), Buffer.of(1, 0, 0)]),
      ),
    ),
  'a frame with a flipped byte': () => zerosFrame(336, {}).fill(7, 100, 101),
}

describe('a damaged zstd object that takes more memory than the limit twice', () => {
  const compression = zstd()
  const sizes = { chunkSizeBytes: 64 * mib, compression }
  const writer = new MemoryBackupDriver(sizes)
  let prefix = ''

  beforeAll(async () => {
    const volume = new Uint8Array(42 * mib).fill(3, 0, 1000)
    prefix = (await writer.backup({ volumeId: 'volume', backupId: 'full' }, volume)).prefix
  })

  for (const [what, make] of Object.entries(objects)) {
    it(`is reported as damaged, or refused: ${what}`, async () => {
      writer.store.set(container, `${prefix}-00001`, make())
      for (const maxMemoryBytes of [64 * mib, 100 * mib]) {
        const driver = new MemoryBackupDriver({ ...sizes, store: writer.store, maxMemoryBytes })
        const error: unknown = await driver
          .verify('full', { level: 'full' })
          .catch((reason: unknown) => reason)
        // An engine that cannot open it in pieces refuses what does not fit.
        if (maxMemoryBytes < 84 * mib && isBackupError(error, 'MEMORY_LIMIT')) continue
        expect(error).toMatchObject({
          code: 'VERIFY_FAILED',
          details: { problems: [{ code: 'OBJECT_CORRUPT', objectName: `${prefix}-00001` }] },
        })
      }
    })
  }
})
