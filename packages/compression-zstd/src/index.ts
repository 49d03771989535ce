export { zstd } from './zstd.js'
export type { ZstdOptions } from './zstd.js'
export { stowageCompressors } from './stowage-compressors.js'
