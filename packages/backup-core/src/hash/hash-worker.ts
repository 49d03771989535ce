/**
 * The worker's program, as text: it runs the same from the ESM build, the CommonJS build, a bundle and the sources,
 * none of which agree on where a file of its own would be. It answers each job with one message.
 */
export const hashWorkerProgram = `
const { parentPort } = require('node:worker_threads')
const { createHash, hash } = require('node:crypto')

// An all-zero block costs a comparison, a chunk of nothing else not even an MD5, and what is known to be zeros nothing.
const zeros = Buffer.alloc(65536)
const zeroDigests = new Map()

// The first byte is zero, and each one equals the one before it.
function isZero(bytes) {
  if (bytes.length === 0) return true
  return bytes[0] === 0 && Buffer.compare(bytes.subarray(1), bytes.subarray(0, -1)) === 0
}

// Hashing in one call spares an object a block.
const sha256 = hash ? (bytes) => hash('sha256', bytes, 'buffer') : (bytes) => createHash('sha256').update(bytes).digest()

function md5Of(parts) {
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

function blockHashes(parts, blockSize, knownZeros) {
  const counts = parts.map((part) => Math.ceil(part.length / blockSize))
  const sha256s = new Uint8Array(counts.reduce((sum, count) => sum + count, 0) * 32)
  let allZero = true
  let end = 0
  parts.forEach((part, index) => {
    for (let block = 0; block < counts[index]; block += 1, end += 32) {
      const bytes = part.subarray(block * blockSize, (block + 1) * blockSize)
      const zero = knownZeros || isZero(bytes)
      if (!zero) allZero = false
      sha256s.set(zero ? remembered('sha256' + bytes.length, () => sha256(bytes)) : sha256(bytes), end)
    }
  })
  return { sha256s, allZero }
}

// The sums of chunks that come in pieces. As long as a chunk is all zeros, it is only counted.
const chunks = new Map()

function addToChunk(key, parts, allZero) {
  const chunk = chunks.get(key) || { zeroBytes: 0, sum: null }
  chunks.set(key, chunk)
  if (allZero && !chunk.sum) {
    for (const part of parts) chunk.zeroBytes += part.length
    return
  }
  if (!chunk.sum) {
    chunk.sum = createHash('md5')
    addZeros(chunk.sum, chunk.zeroBytes)
  }
  for (const part of parts) chunk.sum.update(part)
}

function endOfChunk(key) {
  const { zeroBytes, sum } = chunks.get(key) || { zeroBytes: 0, sum: null }
  chunks.delete(key)
  if (sum) return sum.digest()
  return remembered('md5' + zeroBytes, () => addZeros(createHash('md5'), zeroBytes).digest())
}

function addZeros(sum, length) {
  for (let left = length; left > 0; left -= zeros.length) sum.update(zeros.subarray(0, Math.min(left, zeros.length)))
  return sum
}

function hashParts(parts, blockSize, wantMd5, chunk, knownZeros) {
  const { sha256s, allZero } =
    blockSize > 0
      ? blockHashes(parts, blockSize, knownZeros)
      : { sha256s: null, allZero: knownZeros || parts.every(isZero) }
  if (chunk !== undefined && !wantMd5) addToChunk(chunk, parts, allZero)
  if (!wantMd5) return { sha256s, md5: null, allZero }
  if (chunk !== undefined) return { sha256s, md5: endOfChunk(chunk).toString('hex'), allZero }
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const digest = allZero ? remembered('md5' + length, () => md5Of(parts)) : md5Of(parts)
  return { sha256s, md5: digest.toString('hex'), allZero }
}

parentPort.on('message', ({ id, chunk, parts: places, blockSize, wantMd5, knownZeros }) => {
  try {
    const parts = places.map(({ memory, offset, length }) => new Uint8Array(memory, offset, length))
    const { sha256s, md5, allZero } = hashParts(parts, blockSize, wantMd5, chunk, knownZeros)
    parentPort.postMessage({ id, sha256s, md5, allZero }, sha256s ? [sha256s.buffer] : [])
  } catch (error) {
    parentPort.postMessage({ id, error: String(error) })
  }
})
`
