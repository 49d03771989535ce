export { zstd } from './zstd-compressor.js'
export type { ZstdEngineName, ZstdOptions } from './options.js'
