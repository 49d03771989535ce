export { zlib } from './zlib.js'
export type { ZlibOptions } from './zlib.js'
export { stowageCompressors } from './stowage-compressors.js'
