export { zlib } from './zlib-compressor.js'
export type { ZlibEngineName, ZlibOptions } from './options.js'
