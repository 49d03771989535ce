export * from './compressor/index.js'
export * from './driver/index.js'
export type { ConformanceIt, ConformanceRunner } from './runner.js'
