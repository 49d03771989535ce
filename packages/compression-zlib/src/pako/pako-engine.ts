import type { ZlibEngine } from '../engine.js'
import { pakoDeflate } from './pako-deflate.js'
import { pakoInflateInto } from './pako-inflate.js'

/** The engine in plain JavaScript, for where Node's zlib is not. It works in short turns of the event loop. */
export const pakoEngine: ZlibEngine = {
  compress: pakoDeflate,
  decompressInto: pakoInflateInto,
}
