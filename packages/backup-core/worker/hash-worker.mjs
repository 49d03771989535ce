import * as crypto from 'node:crypto'

// The jobs of the hash workers. `src/hash/hash-pool.ts` has their types.

/** Zeros are compared and counted instead of hashed: their digests are remembered by their length. */
const zeroDigests = new Map()
const zeros = Buffer.alloc(65_536)

/** SHA-256 of each block of the parts, and MD5 of all parts in a row. */
export function hashParts({ parts, blockSizeBytes, md5, knownZeros }) {
  const { sha256s, allZero } =
    blockSizeBytes > 0
      ? sha256OfBlocks(parts, blockSizeBytes, knownZeros)
      : { sha256s: null, allZero: knownZeros || parts.every(isZero) }
  if (!md5) return { sha256s, md5: null, allZero }
  const lengthBytes = parts.reduce((sum, part) => sum + part.length, 0)
  const hashAll = () => {
    const hash = crypto.createHash('md5')
    for (const part of parts) hash.update(part)
    return hash.digest('hex')
  }
  return { sha256s, md5: allZero ? remembered(`md5 ${lengthBytes}`, hashAll) : hashAll(), allZero }
}

/** Hashes the pieces of a chunk that come over a port, in their order, until the MD5 of all of them is requested. */
export function hashPieces({ port }) {
  let zeroBytes = 0
  let hash
  const add = (piece, allZero) => {
    // As long as a chunk is all zeros, it is only counted.
    if (allZero && !hash) {
      zeroBytes += piece.length
      return
    }
    hash ??= md5OfZeros(zeroBytes)
    hash.update(piece)
  }
  return new Promise((resolve) => {
    port.on('message', ({ piece, blockSizeBytes, knownZeros }) => {
      if (piece) {
        const result = sha256OfBlocks([piece], blockSizeBytes, knownZeros)
        add(piece, result.allZero)
        port.postMessage(result)
        return
      }
      port.postMessage({
        md5: hash?.digest('hex') ?? remembered(`md5 ${zeroBytes}`, () => md5OfZeros(zeroBytes).digest('hex')),
      })
      port.close()
      resolve()
    })
  })
}

function sha256OfBlocks(parts, blockSizeBytes, knownZeros) {
  const counts = parts.map((part) => Math.ceil(part.length / blockSizeBytes))
  const sha256s = new Uint8Array(counts.reduce((sum, count) => sum + count, 0) * 32)
  let allZero = true
  let end = 0
  for (const [index, part] of parts.entries()) {
    for (let block = 0; block < counts[index]; block += 1, end += 32) {
      const bytes = part.subarray(block * blockSizeBytes, (block + 1) * blockSizeBytes)
      const zero = knownZeros || isZero(bytes)
      if (!zero) allZero = false
      sha256s.set(zero ? remembered(`sha256 ${bytes.length}`, () => sha256(bytes)) : sha256(bytes), end)
    }
  }
  return { sha256s, allZero }
}

/** Whether the first byte is zero, and each byte equals the one before it. */
function isZero(bytes) {
  return bytes.length > 0 && bytes[0] === 0 && Buffer.compare(bytes.subarray(1), bytes.subarray(0, -1)) === 0
}

/** Hashing in one call saves an object for each block; Node.js 20.12 and later. */
function sha256(bytes) {
  return crypto.hash('sha256', bytes, 'buffer')
}

function md5OfZeros(lengthBytes) {
  const hash = crypto.createHash('md5')
  for (let left = lengthBytes; left > 0; left -= zeros.length)
    hash.update(zeros.subarray(0, Math.min(left, zeros.length)))
  return hash
}

function remembered(key, make) {
  const known = zeroDigests.get(key)
  if (known) return known
  const digest = make()
  // A volume has blocks and chunks of one size, and a last one of each.
  if (zeroDigests.size < 64) zeroDigests.set(key, digest)
  return digest
}
