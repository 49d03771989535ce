import type NodeZlib from 'node:zlib'
import type { ZlibEngine } from '../engine.js'
import { inflateInto } from './inflate-into.js'
import { deflatePieces } from './deflate-pieces.js'

/** The engine on Node's own zlib, which runs on libuv's thread pool. */
export const nodeEngine = (nodeZlib: typeof NodeZlib): ZlibEngine => ({
  compress: (bytes, level, signal) => deflatePieces(nodeZlib, bytes, level, signal),
  decompressInto: (target, bytes, signal) => inflateInto(nodeZlib, target, bytes, signal),
})
