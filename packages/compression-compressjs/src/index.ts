export { bz2Compressjs } from './bz2-compressjs.js'
export type { Bz2CompressjsOptions } from './bz2-compressjs.js'
export { stowageCompressors } from './stowage-compressors.js'
