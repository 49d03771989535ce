import { createHash } from 'node:crypto'
import { deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  bufferVolume,
  copyBackup,
  type BackupRecord,
  type BackupWarning,
  type Compressor,
  type Progress,
} from '@stowage/backup-core'
import { fault, FaultyBackupDriver, MemoryBackupDriver, MemoryStore } from '@stowage/backup-testkit'
import { changed, seededBytes } from '../engine/volumes.js'

const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048 }
const container = 'volumebackups'
/** Three quarters of it compress well. */
const states = [seededBytes(9000).fill(7, 2048, 9000)]
for (const seed of [1, 2, 3]) states.push(changed(states[seed - 1]!, 700 * seed, 700 * seed + 900))

const zlib: Compressor = {
  name: 'zlib',
  aliases: [],
  compress: (bytes) => Promise.resolve(deflateSync(bytes)),
  decompress: (bytes) => Promise.resolve(inflateSync(bytes)),
}

/** A chain of a full backup and three incrementals, `b0` to `b3`. */
async function sourceWithChain(options: { compression?: Compressor } = {}): Promise<MemoryBackupDriver> {
  const driver = new MemoryBackupDriver({ ...sizes, ...options })
  for (const [index, state] of states.entries()) {
    const parent = index === 0 ? null : `b${index - 1}`
    await driver.backup({ volumeId: 'volume', backupId: `b${index}`, parent }, state)
  }
  return driver
}

/** A destination whose prefixes and container are others. */
class OtherNames extends MemoryBackupDriver {
  override generateObjectNamePrefix({
    id,
    createdAt,
  }: Parameters<MemoryBackupDriver['generateObjectNamePrefix']>[0]): string {
    return `ablage/${createdAt.getTime()}/backup_${id}`
  }
  override updateContainerName(): string {
    return 'elsewhere'
  }
}

const idsOf = (records: readonly BackupRecord[]): string[] => records.map(({ id }) => id)

async function restored(driver: MemoryBackupDriver | FaultyBackupDriver, id: string): Promise<Uint8Array> {
  const target = bufferVolume()
  await driver.restore(id, target)
  return target.bytes
}

function objectsOf(store: MemoryStore, name = container): Map<string, string> {
  return new Map(
    store
      .list(name)
      .sort()
      .map((object) => [object, Buffer.from(store.get(name, object)!).toString('base64')]),
  )
}

describe('copyBackup', () => {
  it('copies a chain, the full backup first, so that each state restores', async () => {
    const from = await sourceWithChain()
    const to = new MemoryBackupDriver(sizes)
    const { backups } = await copyBackup(from, to, 'b3')
    expect(backups.map(({ record, outcome }) => [record.id, outcome])).toEqual(
      ['b0', 'b1', 'b2', 'b3'].map((id) => [id, 'copied']),
    )
    for (const [index, state] of states.entries()) expect(await restored(to, `b${index}`)).toEqual(state)
    await to.verify('b3', { level: 'full' })
    expect(await to.listBackups()).toEqual(await from.listBackups())
  })

  it('copies every object byte for byte where the names are the same, and leaves nothing else', async () => {
    const from = await sourceWithChain({ compression: zlib })
    const to = new MemoryBackupDriver(sizes)
    await copyBackup(from, to, 'b3')
    expect(objectsOf(to.store)).toEqual(objectsOf(from.store))
  })

  it('returns the records that the destination lists', async () => {
    const from = await sourceWithChain()
    const to = new OtherNames(sizes)
    const { backups } = await copyBackup(from, to, 'b3')
    expect(backups.map(({ record }) => record)).toEqual(await to.listBackups())
    expect(backups[3]?.record).toMatchObject({
      container: 'elsewhere',
      prefix: expect.stringContaining('ablage/') as string,
    })
  })

  it('maps the names of objects and of the parent, and changes nothing else of the metadata', async () => {
    const from = await sourceWithChain()
    const to = new OtherNames(sizes)
    const { backups } = await copyBackup(from, to, 'b3')
    for (const [index, { record }] of backups.entries()) {
      const old = await from.getBackup(record.id)
      const parents = [
        await from.getBackup(`b${Math.max(0, index - 1)}`),
        backups[Math.max(0, index - 1)]!.record,
      ]
      const text = (driver: MemoryBackupDriver, { container: c, prefix }: BackupRecord): string =>
        Buffer.from(driver.store.get(c, `${prefix}_metadata`)!).toString()
      const checksum = /"stowage_checksum": "[^"]*"/
      const expected = text(from, old)
        .replaceAll(`"${old.prefix}-`, `"${record.prefix}-`)
        .replace(
          `"stowage_parent_prefix": "${parents[0]!.prefix}"`,
          `"stowage_parent_prefix": "${parents[1]!.prefix}"`,
        )
        .replace(checksum, '')
      expect(text(to, record)).toMatch(checksum)
      expect(text(to, record).replace(checksum, '')).toBe(expected)
      expect(to.store.get('elsewhere', `${record.prefix}_sha256file`)).toEqual(
        from.store.get(container, `${old.prefix}_sha256file`),
      )
    }
    for (const [index, state] of states.entries()) expect(await restored(to, `b${index}`)).toEqual(state)
  })

  it('copies a backup back to the names that it had', async () => {
    const from = await sourceWithChain()
    const middle = new OtherNames(sizes)
    await copyBackup(from, middle, 'b3')
    // Its prefixes have no time: `created_at` has it.
    const back = new MemoryBackupDriver(sizes)
    await copyBackup(middle, back, 'b3')
    expect(objectsOf(back.store)).toEqual(objectsOf(from.store))
  })

  it('skips what the destination has, and copies the rest', async () => {
    const from = await sourceWithChain()
    const to = new FaultyBackupDriver(new MemoryBackupDriver(sizes))
    await copyBackup(from, to, 'b1')
    const before = to.count('writer.close')
    const { backups } = await copyBackup(from, to, 'b3')
    expect(backups.map(({ outcome }) => outcome)).toEqual(['present', 'present', 'copied', 'copied'])
    // Each of the two has a claim, an object or two, a hash list and a manifest.
    expect(to.count('writer.close') - before).toBe(
      2 * 3 + backups.reduce((sum, { objectsCopied }) => sum + objectsCopied, 0),
    )
    expect((await copyBackup(from, to, 'b3')).backups.every(({ outcome }) => outcome === 'present')).toBe(
      true,
    )
  })

  it('makes an incremental on a copy', async () => {
    const from = await sourceWithChain()
    const to = new OtherNames(sizes)
    await copyBackup(from, to, 'b3')
    const state = changed(states[3]!, 4000, 4100)
    await to.backup({ volumeId: 'volume', backupId: 'b4', parent: 'b3' }, state)
    expect(await restored(to, 'b4')).toEqual(state)
    const { backups } = await copyBackup(to, from, 'b4')
    expect(backups.map(({ outcome }) => outcome)).toEqual([
      'present',
      'present',
      'present',
      'present',
      'copied',
    ])
    expect(await restored(from, 'b4')).toEqual(state)
  })

  it('reports progress that grows, and ends at 100 %', async () => {
    const from = await sourceWithChain({ compression: zlib })
    const reports: Progress[] = []
    await copyBackup(from, new MemoryBackupDriver(sizes), 'b3', {
      onProgress: (report) => reports.push(report),
    })
    const done = reports.map((report) => report.done)
    expect(done).toEqual([...done].sort((a, b) => a - b))
    expect(reports.every(({ phase }) => phase === 'copy')).toBe(true)
    expect(reports.at(-1)).toMatchObject({ percent: 100, done: reports.at(-1)!.total })
    const stored = from.store.list(container).filter((name) => /-\d{5}$/.test(name))
    expect(reports.at(-1)!.objects).toBe(stored.length)
  })

  it('puts the records into the catalog of the destination', async () => {
    const from = await sourceWithChain()
    const records = new Map<string, BackupRecord>()
    const catalog = {
      get: (id: string) => Promise.resolve(records.get(id)),
      // eslint-disable-next-line @typescript-eslint/require-await
      async *list() {
        yield* records.values()
      },
      put: (record: BackupRecord) => Promise.resolve(void records.set(record.id, record)),
      remove: (id: string) => Promise.resolve(void records.delete(id)),
    }
    const to = new MemoryBackupDriver({ ...sizes, catalog })
    await copyBackup(from, to, 'b3')
    expect([...records.values()]).toEqual(await from.listBackups())
    // As after a kill between the commit and the catalog.
    records.delete('b3')
    const { backups } = await copyBackup(from, to, 'b3')
    expect(backups.at(-1)).toMatchObject({ outcome: 'present', record: { id: 'b3' } })
    expect(records.get('b3')).toEqual(await from.getBackup('b3'))
  })

  it('rejects a different backup of the same id, and changes nothing', async () => {
    const from = await sourceWithChain()
    const to = new MemoryBackupDriver(sizes)
    await to.backup({ volumeId: 'volume', backupId: 'b0' }, seededBytes(9000, 9))
    const before = objectsOf(to.store)
    await expect(copyBackup(from, to, 'b3')).rejects.toMatchObject({
      code: 'BACKUP_EXISTS',
      details: { backupId: 'b0' },
    })
    expect(objectsOf(to.store)).toEqual(before)
  })

  it('rejects a committed backup of the destination that lost an object', async () => {
    const from = await sourceWithChain()
    const to = new MemoryBackupDriver(sizes)
    await copyBackup(from, to, 'b0')
    const [name = ''] = to.store.list(container).filter((object) => object.endsWith('-00002'))
    to.store.delete(container, name)
    await expect(copyBackup(from, to, 'b1')).rejects.toMatchObject({
      code: 'OBJECT_MISSING',
      details: { backupId: 'b0' },
    })
  })

  it('warns of objects that it cannot decompress, and copies them as they are', async () => {
    const from = await sourceWithChain({ compression: zlib })
    const names = objectsOf(from.store)
    const unread = new MemoryBackupDriver({ ...sizes, store: from.store })
    const warnings: BackupWarning[] = []
    const to = new MemoryBackupDriver(sizes)
    await copyBackup(unread, to, 'b3', { onWarning: (warning) => warnings.push(warning) })
    expect(new Set(warnings.map(({ code }) => code))).toEqual(new Set(['COPY_UNVERIFIED']))
    expect(objectsOf(to.store)).toEqual(names)
  })
})

describe('a copy from a damaged store', () => {
  const damage = (bytes: Uint8Array): Uint8Array =>
    Uint8Array.from(bytes, (byte, index) => (index === 9 ? byte ^ 1 : byte))

  it.each([
    ['raw', undefined],
    ['compressed', zlib],
  ])(
    'names a damaged object (%s), keeps what was there, and commits nothing after it',
    async (_, compression) => {
      const from = await sourceWithChain(compression ? { compression } : {})
      const to = new MemoryBackupDriver({ ...sizes, decompressors: [zlib] })
      await copyBackup(from, to, 'b1')
      const before = objectsOf(to.store)
      const { prefix } = await from.getBackup('b2')
      const objectName = `${prefix}-00001`
      from.store.set(container, objectName, damage(from.store.get(container, objectName)!))
      await expect(copyBackup(from, to, 'b3')).rejects.toMatchObject({
        code: 'OBJECT_CORRUPT',
        details: { objectName, backupId: 'b2' },
      })
      expect(objectsOf(to.store)).toEqual(before)
    },
  )

  it('names a missing object', async () => {
    const from = await sourceWithChain()
    const { prefix } = await from.getBackup('b0')
    from.store.delete(container, `${prefix}-00003`)
    const to = new MemoryBackupDriver(sizes)
    await expect(copyBackup(from, to, 'b3')).rejects.toMatchObject({
      code: 'OBJECT_MISSING',
      details: { objectName: `${prefix}-00003` },
      message: expect.stringContaining('copy the backup again to continue') as string,
    })
    expect(idsOf(await to.listBackups())).toEqual([])
  })

  it('names a damaged hash list, which is copied as it is only without `verify`', async () => {
    const from = await sourceWithChain()
    const { prefix } = await from.getBackup('b1')
    const objectName = `${prefix}_sha256file`
    const text = Buffer.from(from.store.get(container, objectName)!).toString()
    from.store.set(container, objectName, Buffer.from(text.replace(/ {4}"[0-9a-f]{64}",\n/, '')))
    const to = new MemoryBackupDriver(sizes)
    await expect(copyBackup(from, to, 'b3')).rejects.toMatchObject({
      code: 'METADATA_INVALID',
      details: { objectName },
    })
    expect(idsOf(await to.listBackups())).toEqual(['b0'])
    await copyBackup(from, to, 'b3', { verify: false })
    expect(objectsOf(to.store)).toEqual(objectsOf(from.store))
  })

  it('reads an object again that was damaged on the way', async () => {
    const from = await sourceWithChain()
    const faulty = new FaultyBackupDriver(new MemoryBackupDriver({ ...sizes, store: from.store }), {
      faults: [fault.corrupt({ object: /-00002$/, nth: 1 })],
    })
    const warnings: string[] = []
    const to = new MemoryBackupDriver(sizes)
    await copyBackup(faulty, to, 'b0', { onWarning: ({ code }) => warnings.push(code) })
    expect(warnings).toEqual(['OBJECT_REREAD'])
    expect(await restored(to, 'b0')).toEqual(states[0])
  })
})

describe('a copy whose objects do not fit into memory', () => {
  const mib = 1024 * 1024
  const volume = seededBytes(10 * mib)
  const large = { blockSizeBytes: 65536, chunkSizeBytes: 8 * mib }

  it('passes them on in pieces, and completes none before it is verified', async () => {
    const from = new MemoryBackupDriver(large)
    await from.backup({ volumeId: 'volume', backupId: 'b' }, volume)
    const limited = { ...large, maxMemoryBytes: 4 * mib }
    const to = new FaultyBackupDriver(new MemoryBackupDriver(limited), { maxMemoryBytes: 4 * mib })
    await copyBackup(from, to, 'b')
    expect(to.count('writer.write', /-00001$/)).toBeGreaterThan(100)
    expect(Buffer.compare(await restored(to, 'b'), volume)).toBe(0)

    const { prefix } = await from.getBackup('b')
    const objectName = `${prefix}-00001`
    const bytes = Uint8Array.from(from.store.get(container, objectName)!)
    bytes[8 * mib - 1]! ^= 1
    from.store.set(container, objectName, bytes)
    const other = new MemoryBackupDriver(limited)
    await expect(copyBackup(from, other, 'b')).rejects.toMatchObject({
      code: 'OBJECT_CORRUPT',
      details: { objectName },
    })
    expect(other.store.get(container, objectName)).toBeUndefined()
  })

  it('says how much memory one takes that must be held whole', async () => {
    const from = new MemoryBackupDriver({ ...large, compression: zlib })
    await from.backup({ volumeId: 'volume', backupId: 'b' }, new Uint8Array(10 * mib).fill(7))
    const to = new MemoryBackupDriver({ ...large, maxMemoryBytes: 4 * mib })
    await expect(copyBackup(from, to, 'b')).rejects.toMatchObject({
      code: 'MEMORY_LIMIT',
      message: expect.stringContaining('maxMemoryBytes') as string,
    })
    await copyBackup(from, to, 'b', { verify: false })
    const sum = (store: MemoryStore): string[] =>
      store.list(container).map((name) => createHash('md5').update(store.get(container, name)!).digest('hex'))
    expect(sum(to.store).sort()).toEqual(sum(from.store).sort())
  })
})
