import type { CodecOptions } from '@stowage/backup-core'
import type NodeZlib from 'node:zlib'
import { fillFromStream, outputPieceBytes } from '@stowage/compression-workers'
import type { FillFaults } from '@stowage/compression-workers'
import { cutShort, damaged, tooLong, tooShort, trailing } from '../corrupt.js'

const faults: FillFaults = { tooLong, tooShort, trailing, fromEngine: asCorrupt }

/** Opens the zlib stream into `target`, which it must fill to the last byte and no further. */
export async function inflateInto(
  nodeZlib: typeof NodeZlib,
  target: Uint8Array,
  bytes: Uint8Array,
  options: CodecOptions,
): Promise<void> {
  // An empty input ends without an error or a byte.
  if (bytes.length === 0) throw cutShort()
  const inflate = nodeZlib.createInflate({ chunkSize: outputPieceBytes(target.length) })
  await fillFromStream(target, inflate, bytes, options, faults)
}

/** Maps zlib's own errors; what was thrown here, and what is not known, goes on as it is. */
export function asCorrupt(error: NodeJS.ErrnoException): Error {
  if (error.code === 'Z_BUF_ERROR') return cutShort(error)
  if (error.code === 'Z_DATA_ERROR' || error.code === 'Z_NEED_DICT') return damaged(error)
  return error
}
