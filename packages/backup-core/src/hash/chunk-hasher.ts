import { createHash } from 'node:crypto'
import { hashInWorker, type HashJob, type HashResult } from './hash-pool.js'

/** Below this a message to a worker costs more than the hash: about a quarter of a millisecond's work. */
const INLINE_BYTES = 128 * 1024

/** SHA-256 of each block and MD5 of the whole, on the main thread where that is next to nothing. */
export function hashChunk(job: HashJob): Promise<HashResult> {
  if (job.bytes.length <= INLINE_BYTES || !(job.bytes.buffer instanceof SharedArrayBuffer)) {
    return Promise.resolve(hashInline(job))
  }
  return hashInWorker(job)
}

export function md5Hex(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

function hashInline(job: HashJob): HashResult {
  return {
    sha256s: job.blockSizeBytes > 0 ? blockHashes(job.bytes, job.blockSizeBytes) : null,
    md5: job.md5 ? md5Hex(job.bytes) : null,
  }
}

/** The last block of a volume may be short: its hash is over the bytes there are. */
function blockHashes(bytes: Uint8Array, blockSizeBytes: number): Uint8Array {
  const count = Math.ceil(bytes.length / blockSizeBytes)
  const hashes = new Uint8Array(count * 32)
  for (let block = 0; block < count; block += 1) {
    const start = block * blockSizeBytes
    hashes.set(sha256(bytes.subarray(start, start + blockSizeBytes)), block * 32)
  }
  return hashes
}
