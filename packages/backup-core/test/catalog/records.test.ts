import { expect, it } from 'vitest'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { zlib } from '@stowage/compression-zlib'
import { readFile } from 'node:fs/promises'

const clock = (): Date => new Date('2026-01-02T03:04:05Z')

it('has the time of a backup in one form in every record', async () => {
  const driver = new MemoryBackupDriver({ clock })
  const made = await driver.backup({ volumeId: 'volume', backupId: 'full' }, Buffer.from('volume'))
  const iso = '2026-01-02T03:04:05Z'
  expect(made.createdAt).toBe(iso)
  expect((await driver.getBackup('full')).createdAt).toBe(iso)
  expect((await driver.listBackups()).map(({ createdAt }) => createdAt)).toEqual([iso])
  expect((await driver.getChain('full')).map(({ createdAt }) => createdAt)).toEqual([iso])
  const exported = await driver.exportRecord('full')
  expect((await driver.importRecord(exported)).createdAt).toBe(iso)
  // What is stored stays as Python prints it.
  const stored = Buffer.from(driver.store.get(made.container, `${made.prefix}_metadata`)!).toString()
  expect(stored).toContain('"created_at": "2026-01-02 03:04:05+00:00"')
})

/** Counts the objects that are opened. */
class CountingDriver extends MemoryBackupDriver {
  readonly opened: string[] = []

  override getObjectReader(
    ...args: Parameters<MemoryBackupDriver['getObjectReader']>
  ): ReturnType<MemoryBackupDriver['getObjectReader']> {
    this.opened.push(args[1])
    return super.getObjectReader(...args)
  }
}

it('has the stored sizes of a backup in its record, from its manifest alone', async () => {
  const driver = new CountingDriver({ blockSizeBytes: 512, chunkSizeBytes: 2048, compression: zlib() })
  const volume = Buffer.alloc(9000, 'volume')
  const made = await driver.backup({ volumeId: 'volume', backupId: 'full' }, volume)
  const objects = driver.store
    .list(made.container)
    .map((name) => [name, driver.store.get(made.container, name)!.length] as const)
  const isData = (name: string): boolean => /-\d{5}$/.test(name)
  const sum = (some: typeof objects): number => some.reduce((bytes, [, length]) => bytes + length, 0)
  const sizes = {
    chunkSizeBytes: 2048,
    blockSizeBytes: 512,
    storedDataBytes: sum(objects.filter(([name]) => isData(name))),
    storedMetadataBytes: sum(objects.filter(([name]) => !isData(name))),
  }
  expect(sizes.storedDataBytes).toBeLessThan(9000)
  expect(made).toMatchObject({ ...sizes, storedBytes: sizes.storedDataBytes + sizes.storedMetadataBytes })
  driver.opened.length = 0
  expect(await driver.listBackups()).toMatchObject([sizes])
  expect(driver.opened).toEqual([`${made.prefix}_metadata`])
  expect(await driver.getBackup('full')).toMatchObject(sizes)
})

it('leaves out of a record what a manifest of Cinder does not state', async () => {
  const driver = new MemoryBackupDriver()
  const made = await driver.backup({ volumeId: 'volume' }, Buffer.from('volume'))
  const name = `${made.prefix}_metadata`
  const stored = Buffer.from(driver.store.get(made.container, name)!).toString()
  driver.store.set(made.container, name, Buffer.from(stored.replace(/^ {2}"stowage_.*\n/gm, '')))
  const [record] = await driver.listBackups()
  expect(record).toMatchObject({ id: made.id, objectCount: 1, sizeBytes: 6 })
  expect(record).not.toHaveProperty('storedDataBytes')
  expect(record).not.toHaveProperty('chunkSizeBytes')
})

it('writes only keys that docs/format.md names, and the volume size, into every manifest', async () => {
  const docs = await readFile(new URL('../../../../docs/format.md', import.meta.url), 'utf8')
  const [table = ''] = /^## `_metadata`$[\s\S]*?^Of each object/m.exec(docs) ?? []
  const named = new Set(
    [...table.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, keys = '']) => keys.match(/\w+/g)),
  )
  const driver = new MemoryBackupDriver({ chunkSizeBytes: 2048, blockSizeBytes: 512 })
  const full = await driver.backup({ volumeId: 'volume', volumeMetadata: {} }, Buffer.alloc(2048, 1))
  const next = await driver.backup({ volumeId: 'volume', parent: full }, Buffer.alloc(4096, 1))
  for (const { container, prefix, sizeBytes } of [full, next]) {
    const text = Buffer.from(driver.store.get(container, `${prefix}_metadata`)!).toString()
    const manifest = JSON.parse(text) as Record<string, unknown>
    expect(Object.keys(manifest).filter((key) => !named.has(key))).toEqual([])
    expect(manifest['volume_size_bytes']).toBe(sizeBytes)
  }
})
