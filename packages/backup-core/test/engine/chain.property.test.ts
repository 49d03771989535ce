import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bufferVolume, type BackupRecord } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'

/** One change to a volume. */
type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'zero'; readonly at: number; readonly length: number }
  | { readonly kind: 'grow'; readonly by: number; readonly fill: number }
  | { readonly kind: 'shrink'; readonly by: number }

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    at: fc.nat(12_000),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 800 }),
  }),
  fc.record({ kind: fc.constant('zero' as const), at: fc.nat(12_000), length: fc.nat(3600) }),
  fc.record({ kind: fc.constant('grow' as const), by: fc.nat(2800), fill: fc.constantFrom(0, 7) }),
  fc.record({ kind: fc.constant('shrink' as const), by: fc.nat(4800) }),
)

function apply(volume: Uint8Array, next: Change): Uint8Array {
  switch (next.kind) {
    case 'write': {
      const at = Math.min(next.at, volume.length)
      const changed = Uint8Array.from(volume)
      changed.set(next.bytes.subarray(0, volume.length - at), at)
      return changed
    }
    case 'zero':
      return Uint8Array.from(volume).fill(0, next.at, next.at + next.length)
    case 'grow': {
      const grown = new Uint8Array(volume.length + next.by).fill(next.fill)
      grown.set(volume)
      return grown
    }
    case 'shrink':
      return volume.slice(0, Math.max(0, volume.length - next.by))
  }
}

it('restores every state of a volume exactly, whatever was written, zeroed, grown and shrunk in between', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 12_000 }),
      fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 5 }),
      fc.constantFrom(512, 1024, 2048),
      fc.integer({ min: 1, max: 24 }),
      fc.integer({ min: 1, max: 5 }),
      async (first, generations, blockSizeBytes, blocksAChunk, concurrency) => {
        const driver = new MemoryBackupDriver({
          blockSizeBytes,
          chunkSizeBytes: blockSizeBytes * blocksAChunk,
          concurrency,
        })
        const states: { record: BackupRecord; bytes: Uint8Array }[] = []
        let bytes: Uint8Array = first
        for (const changes of [[], ...generations]) {
          bytes = changes.reduce(apply, bytes)
          const parent = states.at(-1)?.record ?? null
          const record = await driver.backup(
            { volumeId: 'volume', parent, allowEmpty: true, allowShrink: true },
            bytes,
          )
          states.push({ record, bytes })
        }
        for (const { record, bytes: wanted } of states) {
          expect(record.sizeBytes).toBe(wanted.length)
          expect((await driver.getBackup(record.id)).sizeBytes).toBe(wanted.length)
          await driver.verify(record, { level: 'full' })

          const fresh = bufferVolume()
          await driver.restore(record, fresh)
          expect(Buffer.compare(fresh.bytes, wanted)).toBe(0)

          const garbage = new Uint8Array(wanted.length).fill(0xa5)
          await driver.restore(record, bufferVolume(garbage), { overwrite: true })
          expect(Buffer.compare(garbage, wanted)).toBe(0)
        }
      },
    ),
    { numRuns: 60 },
  )
})

it('restores any range at its own offset and leaves the rest as it was', async () => {
  const driver = new MemoryBackupDriver({ blockSizeBytes: 512, chunkSizeBytes: 2048 })
  const first = Uint8Array.from({ length: 2000 }, (_, index) => index % 251)
  const second = Uint8Array.from(first).fill(0, 300, 1100)
  const full = await driver.backup({ volumeId: 'volume' }, first)
  const record = await driver.backup({ volumeId: 'volume', parent: full }, second)
  await fc.assert(
    fc.asyncProperty(fc.nat(2000), fc.nat(2000), async (a, b) => {
      const [start, end] = a < b ? [a, b] : [b, a]
      const target = new Uint8Array(2000).fill(0xee)
      const wanted = Uint8Array.from(target)
      wanted.set(second.subarray(start, end), start)
      await driver.restore(record, bufferVolume(target), {
        overwrite: true,
        range: { offsetBytes: start, lengthBytes: end - start },
      })
      expect(Buffer.compare(target, wanted)).toBe(0)
    }),
    { numRuns: 50 },
  )
})
