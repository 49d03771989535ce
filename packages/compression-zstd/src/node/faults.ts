import { cutShort, damaged } from '../corrupt.js'

/** Maps what Node's zstd says of a frame that is none; what was thrown here, and what is not known, goes on as it is. */
export function asCorrupt(error: NodeJS.ErrnoException): Error {
  const code = String(error.code)
  if (code === 'Z_BUF_ERROR' || code === 'ZSTD_error_srcSize_wrong') return cutShort(error)
  const isOfTheEngine = code === 'ZSTD_error_memory_allocation' || code === 'ZSTD_error_GENERIC'
  return code.startsWith('ZSTD_error_') && !isOfTheEngine ? damaged(error.message, error) : error
}
