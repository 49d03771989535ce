export { bz2 } from './bz2-compressor.js'
export type { Bz2Options } from './options.js'
