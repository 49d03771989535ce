export { compressorConformance } from './compressor-conformance.js'
export { crossEngineConformance } from './cross-engine.js'
export type { CrossEngineOptions } from './cross-engine.js'
export type {
  BombStream,
  CompressorConformanceOptions,
  CompressorProgram,
  GoldenStream,
  ProgramFormat,
} from './types.js'
