import type { ZlibEngine } from '../engine.js'
import { pakoDeflate } from './pako-deflate.js'
import { pakoInflateInto } from './pako-inflate.js'
import { pakoInflateStream } from './pako-inflate-stream.js'

/** The engine in plain JavaScript, for where Node's zlib is not. It works in short turns of the event loop. */
export const pakoEngine: ZlibEngine = {
  compress: (parts, level, options) => pakoDeflate(parts, level, options),
  decompressInto: pakoInflateInto,
  decompressStream: pakoInflateStream,
}
