import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { bufferVolume, type OpenSource, type VolumeSource } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { seededBytes } from './volumes.js'

const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048, container: 'backups' }
const volume = seededBytes(9000)

/** A store that does not answer the first question of a backup until it is let. */
class SlowStore extends MemoryBackupDriver {
  answer: () => void = () => undefined
  asked = 0
  signal: AbortSignal | undefined

  override async putContainer(container: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    this.asked += 1
    this.signal = options.signal
    await new Promise<void>((resolve, reject) => {
      this.answer = resolve
      options.signal?.addEventListener('abort', () => {
        reject(options.signal?.reason as Error)
      })
    })
    await super.putContainer(container, options)
  }
}

/** A volume that counts what is read of it, and may stop giving anything. */
function watched(read?: OpenSource['read']): VolumeSource & { readBytes: number; closed: number } {
  const source = {
    readBytes: 0,
    closed: 0,
    openSource: async (): Promise<OpenSource> => {
      const open = await bufferVolume(volume).openSource({})
      return {
        ...open,
        sizeBytes: volume.length,
        read: async (into, offsetBytes, options) => {
          const got = await (read ?? open.read.bind(open))(into, offsetBytes, options)
          source.readBytes += got
          return got
        },
        close: () => {
          source.closed += 1
          return Promise.resolve()
        },
      }
    },
  }
  return source
}

it('reads the first chunks of a full backup while the store has not answered yet', async () => {
  const store = new SlowStore(sizes)
  const source = watched()
  const backup = store.backup({ volumeId: 'volume', backupId: 'full' }, source)
  await vi.waitUntil(() => store.asked === 1 && source.readBytes >= sizes.chunkSizeBytes, {
    timeout: 10_000,
  })
  expect(store.store.list('backups')).toEqual([])
  store.answer()
  await backup
  await expect(store.verify('full', { level: 'full' })).resolves.toMatchObject({ blocksChecked: 18 })
})

it('tells the refusal of a backup whose source gives nothing, and stores nothing', async () => {
  const driver = new MemoryBackupDriver(sizes)
  await driver.backup({ volumeId: 'volume', backupId: 'taken' }, volume)
  const names = driver.store.list('backups')
  let aborted = false
  const source = watched(
    (_into, _offsetBytes, options) =>
      new Promise((_resolve, reject) => {
        options?.signal?.addEventListener('abort', () => {
          aborted = true
          reject(options.signal?.reason as Error)
        })
      }),
  )
  const outcome = driver.backup({ volumeId: 'volume', backupId: 'taken' }, source)
  await expect(outcome).rejects.toMatchObject({ code: 'BACKUP_EXISTS' })
  expect(aborted).toBe(true)
  expect(source.closed).toBe(1)
  expect(driver.store.list('backups')).toEqual(names)
})

it('asks the store no more when the source fails, and tells why it failed', async () => {
  const store = new SlowStore(sizes)
  const source = watched(async () => {
    while (store.asked === 0) await sleep(1)
    throw new Error('the disk is gone')
  })
  const outcome = store.backup({ volumeId: 'volume' }, source)
  await expect(outcome).rejects.toThrow('the disk is gone')
  expect(store.signal?.aborted).toBe(true)
  expect(source.closed).toBe(1)
  expect(store.store.list('backups')).toEqual([])
})

it('ends with ABORTED, and keeps nothing, when it is aborted before the store has answered', async () => {
  const store = new SlowStore(sizes)
  const source = watched()
  const stop = new AbortController()
  const outcome = store.backup({ volumeId: 'volume' }, source, { signal: stop.signal })
  await vi.waitUntil(() => store.asked === 1 && source.readBytes > 0, { timeout: 10_000 })
  stop.abort()
  await expect(outcome).rejects.toMatchObject({ code: 'ABORTED' })
  expect(source.closed).toBe(1)
  expect(store.store.list('backups')).toEqual([])
})
