import type { StepListener } from '@stowage/backup-core'
import type { Frame } from './walk-frames.js'

/** How to compress a chunk. */
export interface CompressJob {
  readonly level: number
  /** The result may not be longer; where it would be, the engine gives undefined. */
  readonly mostBytes: number
  /** Lent memory of at least {@link mostBytes}, to be used where the engine can. */
  readonly buffer: Uint8Array | undefined
  readonly signal: AbortSignal | undefined
  /** Told of the raw bytes, where the engine can tell. */
  readonly onProgress: StepListener | undefined
}

/** What to open, and where. */
export interface DecompressJob {
  /** All that {@link bytes} has, checked against the expected length. */
  readonly frames: readonly Frame[]
  readonly expectedLengthBytes: number
  /** Lent memory of at least the expected length, to be used where the engine can. */
  readonly buffer: Uint8Array | undefined
  readonly signal: AbortSignal | undefined
  /** Told of the raw bytes, where the engine can tell. */
  readonly onProgress: StepListener | undefined
}

/** One implementation of the zstd format. Arguments are checked before they come here. */
export interface ZstdEngine {
  /** One frame, which says how much it holds: Cinder's reader needs that. Undefined where it does not fit. */
  compress(bytes: Uint8Array, job: CompressJob): Promise<Uint8Array | undefined>

  /** Stops with an error at the first byte that does not fit, and gives exactly the expected length. */
  decompress(bytes: Uint8Array, job: DecompressJob): Promise<Uint8Array>
}
