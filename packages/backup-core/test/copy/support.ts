import { createHash } from 'node:crypto'
import { bufferVolume, type ChunkedBackupDriver } from '@stowage/backup-core'
import { MemoryBackupDriver, type MemoryStore } from '@stowage/backup-testkit'
import { changed, seededBytes } from '../engine/volumes.js'

/** The limit is set so that no driver asks the system for its own: there are hundreds of drivers. */
export const sizes = { blockSizeBytes: 512, chunkSizeBytes: 2048, maxMemoryBytes: 2 ** 24 }
export const container = 'volumebackups'
export const full = seededBytes(9000)
export const next = changed(full, 3000, 5000)
/** The second in the names of the source's backups. */
export const clock = (): Date => new Date('2026-01-01T00:00:00Z')

/** A full backup, `b0`, and an incremental on it, `b1`. */
export async function sourceOfTwo(): Promise<MemoryBackupDriver> {
  const driver = new MemoryBackupDriver({ ...sizes, clock })
  await driver.backup({ volumeId: 'volume', backupId: 'b0' }, full)
  await driver.backup({ volumeId: 'volume', backupId: 'b1', parent: 'b0' }, next)
  return driver
}

export async function restored(driver: ChunkedBackupDriver, id: string): Promise<Uint8Array> {
  const target = bufferVolume()
  await driver.restore(id, target)
  return target.bytes
}

/** The objects of a store, by their names. */
export function objectsOf(store: MemoryStore): Map<string, string> {
  const names = store.list(container).sort()
  const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')
  return new Map(names.map((name) => [name, md5(store.get(container, name)!)]))
}
