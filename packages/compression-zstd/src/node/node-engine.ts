import type { ZstdEngine } from '../engine.js'
import { targetOf } from '@stowage/compression-workers'
import { compressFrame } from './compress-frame.js'
import { decompressFrames } from './decompress-frames.js'
import type { NodeZstd } from './node-zstd.js'

/** The engine on Node's own zstd, which runs on libuv's thread pool. */
export const nodeEngine = (nodeZstd: NodeZstd): ZstdEngine => ({
  compress: (bytes, job) => compressFrame(nodeZstd, bytes, job),
  async decompress(bytes, job) {
    const target = targetOf(job.expectedLengthBytes, job.buffer)
    await decompressFrames(nodeZstd, target, bytes, job)
    return target
  },
})
