import type NodeZlib from 'node:zlib'
import type { ZlibEngine } from '../engine.js'
import { inflateInto } from './inflate-into.js'
import { inflateStream } from './inflate-stream.js'
import { deflatePieces } from './deflate-pieces.js'

/** The engine on Node's own zlib, which runs on libuv's thread pool. */
export const nodeEngine = (nodeZlib: typeof NodeZlib): ZlibEngine => ({
  compress: (parts, level, options) => deflatePieces(nodeZlib, parts, level, options),
  decompressInto: (target, bytes, options) => inflateInto(nodeZlib, target, bytes, options),
  decompressStream: (pieces, expectedLengthBytes, signal) =>
    inflateStream(nodeZlib, pieces, expectedLengthBytes, signal),
})
