import { deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, it, vi } from 'vitest'
import { BackupError, type Compressor, type ObjectWriter, type WriterOptions } from '@stowage/backup-core'
import { MemoryBackupDriver, MemoryStore } from '@stowage/backup-testkit'
import { seededBytes } from '../engine/volumes.js'

const mib = 1024 * 1024
/** Chunks of which a few pieces are in memory, so that they are sent while they are read. */
const streamed = { blockSizeBytes: 65536, chunkSizeBytes: 8 * mib, container: 'backups' }
/** Chunks that are held. */
const held = { ...streamed, chunkSizeBytes: mib }
const volume = seededBytes(16 * mib)
const zlib: Compressor = {
  name: 'zlib',
  aliases: [],
  compress: (bytes) => Promise.resolve(deflateSync(bytes)),
  decompress: (bytes) => Promise.resolve(inflateSync(bytes)),
}

type MemoryWriter = Awaited<ReturnType<MemoryBackupDriver['getObjectWriter']>>

/** A store without locks, whose claims succeed only when they are let. */
class SettlingStore extends MemoryBackupDriver {
  settle: () => void = () => undefined
  refuse: (error: Error) => void = () => undefined
  claims = 0
  /** The bytes that the writers of data objects have been given, by object. */
  readonly sentBytes = new Map<string, number>()
  readonly completed: string[] = []

  override async getObjectWriter(
    container: string,
    objectName: string,
    options: WriterOptions,
  ): Promise<MemoryWriter> {
    const writer = await super.getObjectWriter(container, objectName, options)
    const isClaim = options.claim === true
    const watched: ObjectWriter = {
      write: async (bytes) => {
        await writer.write(bytes)
        if (!isClaim) this.sentBytes.set(objectName, (this.sentBytes.get(objectName) ?? 0) + bytes.length)
      },
      close: async () => {
        await writer.close()
        if (!isClaim) this.completed.push(objectName)
        else await this.#untilSettled(options.signal)
      },
      abort: () => writer.abort(),
    }
    return watched as MemoryWriter
  }

  #untilSettled(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.settle = resolve
      this.refuse = reject
      this.claims += 1
      signal?.addEventListener('abort', () => {
        reject(signal.reason as Error)
      })
    })
  }
}

const kinds = [
  ['streamed', streamed, 7 * mib],
  ['held', held, 0],
  ['compressed', { ...streamed, compression: zlib }, 4 * mib],
] as const

describe.each(kinds)('a backup with an id, whose chunks are %s', (_kind, options, minSentBytes) => {
  it('sends its first objects but their last bytes while the store settles the claim', async () => {
    const driver = new SettlingStore(options)
    const backup = driver.backup({ volumeId: 'volume', backupId: 'one' }, volume)
    await vi.waitUntil(() => {
      const [first = 0] = driver.sentBytes.values()
      return driver.claims === 1 && first >= minSentBytes
    })
    // A listing has the claim and no other object.
    expect(driver.completed).toEqual([])
    expect(driver.store.list('backups')).toEqual([expect.stringMatching(/^stowage-claim_one/)])
    driver.settle()
    const record = await backup
    await expect(driver.verify(record, { level: 'full' })).resolves.toMatchObject({ blocksChecked: 256 })
  })

  it('removes nothing of the run that has the prefix where it loses the claim', async () => {
    const driver = new SettlingStore(options)
    const backup = driver.backup({ volumeId: 'volume', backupId: 'one' }, volume)
    const outcome = expect(backup).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('Another backup with the id one is running') as string,
    })
    await vi.waitUntil(() => driver.claims === 1)
    const [claim = ''] = driver.store.list('backups')
    const prefix = driver.generateObjectNamePrefix({
      ...{ id: 'one', volumeId: 'volume', parentId: null, container: null, name: null, description: null },
      createdAt: new Date(claim.replace(/.*_(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:$6Z')),
    })
    const theirs = [1, 2, 3].map((number) => `${prefix}-${String(number).padStart(5, '0')}`)
    for (const name of theirs) driver.store.set('backups', name, Buffer.from(name))
    driver.refuse(new BackupError('CONFLICT', 'Storing the claim failed: it is of another run.'))
    await outcome
    expect(driver.completed).toEqual([])
    for (const name of theirs)
      expect(driver.store.get('backups', name)).toEqual(Uint8Array.from(Buffer.from(name)))
  })

  it('ends with ABORTED, and leaves nothing, when it is aborted while the store settles the claim', async () => {
    const driver = new SettlingStore(options)
    const stop = new AbortController()
    const backup = driver.backup({ volumeId: 'volume', backupId: 'one' }, volume, { signal: stop.signal })
    const outcome = expect(backup).rejects.toMatchObject({ code: 'ABORTED' })
    await vi.waitUntil(() => driver.claims === 1)
    stop.abort()
    await outcome
    expect(driver.store.list('backups')).toEqual([])
  })
})

it('reads and compares an incremental while the store settles the claim, and commits only then', async () => {
  const store = new MemoryStore()
  const parent = await new MemoryBackupDriver({ ...held, store }).backup({ volumeId: 'volume' }, volume)
  const before = store.list('backups')
  const driver = new SettlingStore({ ...held, store })
  let doneBytes = 0
  const backup = driver.backup({ volumeId: 'volume', backupId: 'two', parent }, volume, {
    onProgress: ({ done }) => {
      doneBytes = done
    },
  })
  await vi.waitUntil(() => driver.claims === 1 && doneBytes === volume.length)
  const [claim, ...added] = store.list('backups').filter((name) => !before.includes(name))
  expect([claim, added]).toEqual([expect.stringMatching(/^stowage-claim_two/), []])
  driver.settle()
  await expect(backup).resolves.toMatchObject({ id: 'two', objectCount: 0 })
})
