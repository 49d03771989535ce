/**
 * The worker's program, as text: it runs the same from the ESM build, the CommonJS build, a bundle and the sources,
 * none of which agree on where a file of its own would be. It answers each job with one message.
 */
export const hashWorkerProgram = `
const { parentPort } = require('node:worker_threads')
const { createHash } = require('node:crypto')

parentPort.on('message', ({ id, memory, offset, length, blockSize, wantMd5 }) => {
  try {
    const bytes = new Uint8Array(memory, offset, length)
    let sha256s = null
    if (blockSize > 0) {
      const count = Math.ceil(length / blockSize)
      sha256s = new Uint8Array(count * 32)
      for (let block = 0; block < count; block += 1) {
        const start = block * blockSize
        const hash = createHash('sha256').update(bytes.subarray(start, Math.min(length, start + blockSize)))
        sha256s.set(hash.digest(), block * 32)
      }
    }
    const md5 = wantMd5 ? createHash('md5').update(bytes).digest('hex') : null
    parentPort.postMessage({ id, sha256s, md5 }, sha256s ? [sha256s.buffer] : [])
  } catch (error) {
    parentPort.postMessage({ id, error: String(error) })
  }
})
`
