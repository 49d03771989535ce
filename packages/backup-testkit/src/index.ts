export * from './compressor/index.js'
export * from './driver/index.js'
