import { promisify } from 'node:util'
import { deflate, inflate } from 'node:zlib'
import { bufferVolume, type Compressor } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { changed, seededBytes } from '../engine/volumes.js'

/* Makes and restores full and incremental backups in every memory limit, and prints how many. */

const kib = 1024

const fromOne: Compressor = {
  name: 'zlib',
  aliases: [],
  compress: (bytes) => promisify(deflate)(bytes),
  decompress: (bytes, expectedLengthBytes) =>
    promisify(inflate)(bytes, { maxOutputLength: Math.max(1, expectedLengthBytes) }),
}
const fromParts: Compressor = {
  ...fromOne,
  compressParts: (parts) => promisify(deflate)(Buffer.concat(parts)),
}

const volume = seededBytes(150 * kib + 77)
for (let at = 0; at < volume.length; at += 8 * kib) volume.fill(at / kib, at, at + 5 * kib)
const next = changed(changed(volume, 1 * kib, 70 * kib), 120 * kib, 150 * kib)

const limits = [1, 511, 512, 1536, 4 * kib, 16 * kib, 63 * kib]
for (let limit = 64 * kib; limit <= 330 * kib; limit += 19 * kib) limits.push(limit)

let backups = 0
for (const compression of [undefined, fromOne, fromParts]) {
  for (const maxMemoryBytes of [...limits, undefined]) {
    for (const concurrency of [undefined, 1]) {
      const driver = new MemoryBackupDriver({
        ...(compression ? { compression } : {}),
        ...(concurrency === undefined ? {} : { concurrency }),
        ...(maxMemoryBytes === undefined ? {} : { maxMemoryBytes }),
        chunkSizeBytes: 64 * kib,
        blockSizeBytes: 512,
      })
      const full = await driver.backup({ volumeId: 'volume' }, volume)
      const record = await driver.backup({ volumeId: 'volume', parent: full }, next)
      // What does not fit must be restored by one that may hold it.
      const reader = new MemoryBackupDriver({ store: driver.store, decompressors: [fromOne] })
      const target = bufferVolume()
      await reader.restore(record, target)
      if (Buffer.compare(target.bytes, next) !== 0)
        throw new Error('The restored volume is not the one backed up.')
      backups += 2
    }
  }
}
console.log(backups)
