export { zstd } from './zstd.js'
export type { ZstdOptions } from './zstd.js'
