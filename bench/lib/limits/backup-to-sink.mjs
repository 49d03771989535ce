// The engine by itself: a source in memory, and a backend that reads what it is handed and drops it.
//
//   node backup-to-sink.mjs VOLUME CHUNK_SIZE BLOCK_SIZE
import { bufferVolume } from '@stowage/backup-core'
import { coldAndWarm, loadVolume } from './load-volume.mjs'
import { SinkDriver } from './sink-driver.mjs'

const [path = '', chunkSize, blockSize] = process.argv.slice(2)
const bytes = loadVolume(path)
const driver = new SinkDriver({ chunkSizeBytes: Number(chunkSize), blockSizeBytes: Number(blockSize) })
await coldAndWarm(async () => {
  const before = driver.bytesSeen
  await driver.backup({ volumeId: 'volume' }, bufferVolume(bytes))
  if (driver.bytesSeen - before < bytes.length) throw new Error('The sink was not handed the whole volume.')
})
await driver.close()
