import type { Transform } from 'node:stream'

/** A stream of `node:zlib`. */
export type ZstdStream = Transform & { readonly bytesWritten: number }

interface ZstdStreamOptions {
  readonly chunkSize?: number
  readonly pledgedSrcSize?: number
  readonly params?: Readonly<Record<number, number>>
}

/** The part of `node:zlib` that came with Node 22.15, which the types for Node 20 do not have. */
export interface NodeZstd {
  readonly createZstdCompress: (options: ZstdStreamOptions) => ZstdStream
  readonly createZstdDecompress: (options: ZstdStreamOptions) => ZstdStream
  readonly constants: {
    readonly ZSTD_c_compressionLevel: number
    readonly ZSTD_c_checksumFlag: number
    readonly ZSTD_d_windowLogMax: number
  }
}

/** Node's zstd, or undefined on a Node that has none. */
export function findNodeZstd(): NodeZstd | undefined {
  const nodeZlib: unknown = process.getBuiltinModule('node:zlib')
  const found = nodeZlib as Partial<NodeZstd>
  return typeof found.createZstdCompress === 'function' ? (nodeZlib as NodeZstd) : undefined
}
