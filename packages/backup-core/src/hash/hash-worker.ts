/**
 * The worker's program, as text: it runs the same from the ESM build, the CommonJS build, a bundle and the sources,
 * none of which agree on where a file of its own would be. It answers each job with one message.
 */
export const hashWorkerProgram = `
const { parentPort } = require('node:worker_threads')
const { createHash } = require('node:crypto')

// An all-zero block costs a comparison, and a chunk of nothing else not even an MD5.
const zeros = Buffer.alloc(65536)
const zeroDigests = new Map()

function isZero(bytes) {
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const piece = bytes.subarray(at, at + zeros.length)
    if (Buffer.compare(piece, zeros.subarray(0, piece.length)) !== 0) return false
  }
  return true
}

function digestOf(algorithm, bytes, zero) {
  const key = algorithm + bytes.length
  const known = zero ? zeroDigests.get(key) : undefined
  if (known) return known
  const digest = createHash(algorithm).update(bytes).digest()
  // A volume has blocks and chunks of one size, and a last one of each.
  if (zero && zeroDigests.size < 64) zeroDigests.set(key, digest)
  return digest
}

parentPort.on('message', ({ id, memory, offset, length, blockSize, wantMd5 }) => {
  try {
    const bytes = new Uint8Array(memory, offset, length)
    let sha256s = null
    let allZero = blockSize > 0
    if (blockSize > 0) {
      const count = Math.ceil(length / blockSize)
      sha256s = new Uint8Array(count * 32)
      for (let block = 0; block < count; block += 1) {
        const start = block * blockSize
        const piece = bytes.subarray(start, Math.min(length, start + blockSize))
        const zero = piece[0] === 0 && isZero(piece)
        if (!zero) allZero = false
        sha256s.set(digestOf('sha256', piece, zero), block * 32)
      }
    }
    const md5 = wantMd5 ? digestOf('md5', bytes, allZero).toString('hex') : null
    parentPort.postMessage({ id, sha256s, md5 }, sha256s ? [sha256s.buffer] : [])
  } catch (error) {
    parentPort.postMessage({ id, error: String(error) })
  }
})
`
