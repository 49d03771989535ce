export { bzip2Compressor } from './bzip2-compressor.js'
export type { Bzip2Engine, CompressJob, JobAnswer, OpenBlockJob } from './engine.js'
export type { Bzip2Options } from './options.js'
