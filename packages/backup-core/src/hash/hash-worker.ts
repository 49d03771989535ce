/**
 * The worker's program, as text: it runs the same from the ESM build, the CommonJS build, a bundle and the sources,
 * none of which agree on where a file of its own would be. It answers each job with one message.
 */
export const hashWorkerProgram = `
const { parentPort } = require('node:worker_threads')
const { createHash, hash } = require('node:crypto')

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

// Hashing in one call spares an object a block.
const sha256 = hash ? (bytes) => hash('sha256', bytes, 'buffer') : (bytes) => createHash('sha256').update(bytes).digest()

function md5(parts) {
  const sum = createHash('md5')
  for (const part of parts) sum.update(part)
  return sum.digest()
}

function remembered(key, make) {
  const known = zeroDigests.get(key)
  if (known) return known
  const digest = make()
  // A volume has blocks and chunks of one size, and a last one of each.
  if (zeroDigests.size < 64) zeroDigests.set(key, digest)
  return digest
}

function blockHashes(parts, blockSize) {
  const counts = parts.map((part) => Math.ceil(part.length / blockSize))
  const sha256s = new Uint8Array(counts.reduce((sum, count) => sum + count, 0) * 32)
  let allZero = true
  let end = 0
  parts.forEach((part, index) => {
    for (let block = 0; block < counts[index]; block += 1, end += 32) {
      const bytes = part.subarray(block * blockSize, (block + 1) * blockSize)
      const zero = bytes[0] === 0 && isZero(bytes)
      if (!zero) allZero = false
      sha256s.set(zero ? remembered('sha256' + bytes.length, () => sha256(bytes)) : sha256(bytes), end)
    }
  })
  return { sha256s, allZero }
}

parentPort.on('message', ({ id, parts: places, blockSize, wantMd5 }) => {
  try {
    const parts = places.map(({ memory, offset, length }) => new Uint8Array(memory, offset, length))
    const { sha256s, allZero } = blockSize > 0 ? blockHashes(parts, blockSize) : { sha256s: null, allZero: false }
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    const digest = wantMd5 && (allZero ? remembered('md5' + length, () => md5(parts)) : md5(parts))
    parentPort.postMessage({ id, sha256s, md5: digest ? digest.toString('hex') : null }, sha256s ? [sha256s.buffer] : [])
  } catch (error) {
    parentPort.postMessage({ id, error: String(error) })
  }
})
`
