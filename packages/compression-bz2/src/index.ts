export { bz2 } from './bz2.js'
export type { Bz2Options } from './bz2.js'
export { stowageCompressors } from './stowage-compressors.js'
