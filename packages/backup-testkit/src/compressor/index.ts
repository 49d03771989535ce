export { compressorConformance } from './compressor-conformance.js'
export { crossEngineConformance } from './cross-engine.js'
export type { CrossEngineOptions } from './cross-engine.js'
export type { CompressorConformanceOptions, GoldenStream, TestRunner } from './types.js'
