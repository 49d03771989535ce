// Our Swift driver and the engine, from memory to a server that drops what it gets.
//
//   node backup-to-server.mjs VOLUME CHUNK_SIZE BLOCK_SIZE URL
import { bufferVolume } from '@stowage/backup-core'
import { getBackupDriver } from '@stowage/backup-swift'
import { coldAndWarm, loadVolume } from './load-volume.mjs'

const [path = '', chunkSize, blockSize, storageUrl = ''] = process.argv.slice(2)
const bytes = loadVolume(path)
const driver = await getBackupDriver({
  storageUrl,
  credentials: { method: 'given-token', token: 'none' },
  container: 'sink',
  chunkSizeBytes: Number(chunkSize),
  blockSizeBytes: Number(blockSize),
})
await coldAndWarm(async () => {
  await driver.backup({ volumeId: 'volume' }, bufferVolume(bytes))
})
await driver.close()
