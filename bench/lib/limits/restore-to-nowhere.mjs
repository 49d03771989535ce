// The engine by itself the other way: objects in memory, and a target that reads what it is handed and drops it.
//
//   node restore-to-nowhere.mjs VOLUME CHUNK_SIZE BLOCK_SIZE
import { bufferVolume } from '@stowage/backup-core'
import { MemoryBackupDriver } from '@stowage/backup-testkit'
import { coldAndWarm, loadVolume } from './load-volume.mjs'

const [path = '', chunkSize, blockSize] = process.argv.slice(2)
const bytes = loadVolume(path)
const driver = new MemoryBackupDriver({
  chunkSizeBytes: Number(chunkSize),
  blockSizeBytes: Number(blockSize),
})
const record = await driver.backup({ volumeId: 'volume' }, bufferVolume(bytes))
await coldAndWarm(async () => {
  let sum = 0
  let written = 0
  const target = {
    readsAsZeros: false,
    write: async (/** @type {Uint8Array} */ piece) => {
      for (let at = 0; at < piece.length; at += 4096) sum += /** @type {number} */ (piece[at])
      written += piece.length
    },
    finish: async () => undefined,
    close: async () => undefined,
  }
  await driver.restore(record, { openTarget: async () => target })
  if (written !== bytes.length || Number.isNaN(sum))
    throw new Error('The target was not handed the whole volume.')
})
await driver.close()
