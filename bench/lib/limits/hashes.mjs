// What the hashes alone allow: a worker a core, each taking the next chunk, SHA-256 a block and MD5 a chunk, by the
// OpenSSL that Node.js has. No zero is known, nothing is read, nothing is kept.
//
//   node hashes.mjs VOLUME CHUNK_SIZE BLOCK_SIZE|0
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { coldAndWarm, loadVolume } from './load-volume.mjs'

if (isMainThread) {
  const [path = '', chunkSize, blockSize] = process.argv.slice(2)
  const bytes = loadVolume(path)
  const next = new Int32Array(new SharedArrayBuffer(4))
  const job = { bytes, next, chunkSize: Number(chunkSize), blockSize: Number(blockSize) }
  /** @type {Worker[]} */
  const workers = []
  await coldAndWarm(async () => {
    next[0] = 0
    while (workers.length < availableParallelism()) {
      workers.push(new Worker(new URL(import.meta.url), { workerData: job }))
    }
    const done = workers.map((worker) => once(worker, 'message'))
    for (const worker of workers) worker.postMessage('go')
    await Promise.all(done)
  })
  await Promise.all(workers.map((worker) => worker.terminate()))
} else {
  const { bytes, next, chunkSize, blockSize } = workerData
  parentPort?.on('message', () => {
    for (;;) {
      const start = Atomics.add(next, 0, 1) * chunkSize
      if (start >= bytes.length) break
      hashChunk(bytes.subarray(start, start + chunkSize), blockSize)
    }
    parentPort?.postMessage('done')
  })
}

/**
 * @param {Uint8Array} chunk
 * @param {number} blockSize
 */
function hashChunk(chunk, blockSize) {
  for (let at = 0; blockSize > 0 && at < chunk.length; at += blockSize) {
    createHash('sha256')
      .update(chunk.subarray(at, at + blockSize))
      .digest()
  }
  createHash('md5').update(chunk).digest()
}
