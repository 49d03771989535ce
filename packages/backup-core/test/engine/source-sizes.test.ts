import { MemoryBackupDriver } from '@stowage/backup-testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BackupRecord, BackupRequest, BackupSource, BackupWarning } from '@stowage/backup-core'
import { isBackupError, streamVolume } from '@stowage/backup-core'
import { seededBytes } from './volumes.js'

const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048 }

/** A stream of unknown size, in pieces that fit no chunk. */
async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 700) {
    await Promise.resolve()
    yield bytes.subarray(offset, offset + 700)
  }
}

/** Every kind of source: one whose size is known, one whose is not, and one whose was announced. */
const kinds: Record<string, (bytes: Uint8Array) => BackupSource> = {
  'a buffer': (bytes) => bytes,
  'a stream': stream,
  'a stream of an announced size': (bytes) => streamVolume(stream(bytes), { sizeBytes: bytes.length }),
}

/** How a backup ended: its record, or the code of its error. */
async function outcome(
  driver: MemoryBackupDriver,
  request: BackupRequest,
  source: BackupSource,
  warnings: BackupWarning[] = [],
): Promise<BackupRecord | string> {
  const onWarning = (warning: BackupWarning): void => void warnings.push(warning)
  return driver.backup(request, source, { onWarning }).catch((error: unknown) => {
    if (isBackupError(error)) return error.code
    throw error
  })
}

/** Every object in the store, and so what a refusal left behind. */
function objectsOf({ store }: MemoryBackupDriver): string[] {
  return store.containers().flatMap((container) => store.list(container))
}

describe.each(Object.entries(kinds))('a backup of %s', (_kind, sourceOf) => {
  it('of no bytes is refused and stores nothing, unless allowEmpty is set', async () => {
    const driver = new MemoryBackupDriver(sizes)
    const empty = new Uint8Array(0)
    expect(await outcome(driver, { volumeId: 'v' }, sourceOf(empty))).toBe('SOURCE_EMPTY')
    expect(objectsOf(driver)).toEqual([])
    expect(await outcome(driver, { volumeId: 'v', allowEmpty: true }, sourceOf(empty))).toMatchObject({
      sizeBytes: 0,
    })
  })

  it('of no bytes is refused as an incremental, and the parent stays the newest backup', async () => {
    const driver = new MemoryBackupDriver(sizes)
    const full = await driver.backup({ volumeId: 'v' }, seededBytes(5000))
    const before = objectsOf(driver)
    const request = { volumeId: 'v', incremental: true }
    expect(await outcome(driver, request, sourceOf(new Uint8Array(0)))).toBe('SOURCE_EMPTY')
    // What allows an empty volume does not allow one that lost all it had.
    expect(await outcome(driver, { ...request, allowEmpty: true }, sourceOf(new Uint8Array(0)))).toBe(
      'SOURCE_SHRANK',
    )
    expect(objectsOf(driver)).toEqual(before)
    expect((await driver.listBackups()).map(({ id }) => id)).toEqual([full.id])
  })

  it('is refused as an incremental when it lost more than half, warns when it lost less, and else is silent', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9000 }),
        fc.integer({ min: 1, max: 9000 }),
        async (before, after) => {
          const driver = new MemoryBackupDriver(sizes)
          const parent = await driver.backup({ volumeId: 'v' }, seededBytes(before))
          const objects = objectsOf(driver)
          const source = seededBytes(after, 2)
          const warnings: BackupWarning[] = []
          const ended = await outcome(driver, { volumeId: 'v', parent }, sourceOf(source), warnings)
          if (2 * after < before) {
            expect(ended).toBe('SOURCE_SHRANK')
            expect(objectsOf(driver)).toEqual(objects)
            const allowed = { volumeId: 'v', parent, allowShrink: true }
            const record = await outcome(driver, allowed, sourceOf(source), warnings)
            expect(record).toMatchObject({ sizeBytes: after })
          } else expect(ended).toMatchObject({ sizeBytes: after })
          expect(warnings.map(({ code }) => code)).toEqual(after < before ? ['SOURCE_SHRANK'] : [])
        },
      ),
      { numRuns: 60 },
    )
  })
})

it('refuses a source of a known size before it reads or stores anything', async () => {
  const driver = new MemoryBackupDriver(sizes)
  const parent = await driver.backup({ volumeId: 'v' }, seededBytes(5000))
  let reads = 0
  const source = {
    size: 100,
    read: () => {
      reads += 1
      return Promise.resolve(new Uint8Array(100))
    },
  }
  expect(await outcome(driver, { volumeId: 'v', parent }, source)).toBe('SOURCE_SHRANK')
  expect(reads).toBe(0)
})
