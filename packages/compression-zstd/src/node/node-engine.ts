import { targetOf } from '@stowage/compression-workers'
import type { ZstdEngine } from '../engine.js'
import { compressFrame } from './compress-frame.js'
import { decompressFrames } from './decompress-frames.js'
import type { NodeZstd } from './node-zstd.js'

/** Each frame needs a stream of its own, 0.1 ms; a hostile object may have millions. libzstd itself reads rows of them. */
const mostFrames = 1_000

/** The engine on Node's own zstd, which runs on libuv's thread pool. */
export const nodeEngine = (nodeZstd: NodeZstd): ZstdEngine => ({
  compress: (bytes, job) => compressFrame(nodeZstd, bytes, job),
  async decompress(bytes, job) {
    if (job.frames.length > mostFrames) {
      const { wasmEngine } = await import('../wasm/wasm-engine.js')
      return wasmEngine.decompress(bytes, job)
    }
    const target = targetOf(job.expectedLengthBytes, job.buffer)
    await decompressFrames(nodeZstd, target, bytes, job)
    return target
  },
})
