import type { ChunkedBackupDriver, Compressor } from '@stowage/backup-core'
import type { CliIo } from './io.js'
import type { GlobalOptions } from './options/global-options.js'
import type { Output } from './output/output.js'

/** Driver options beside those of the global options. */
export interface StoreSettings {
  readonly chunkSizeBytes?: number
  readonly blockSizeBytes?: number
  readonly joinGapBytes?: number
  readonly compression?: Compressor
  readonly decompressors?: readonly Compressor[]
  /** Makes the store if there is none. @default false */
  readonly create?: boolean
}

/** What a command works with. */
export interface CommandContext {
  readonly io: CliIo
  readonly output: Output
  readonly signal: AbortSignal
  readonly globals: GlobalOptions
  /** Loads the backend of the store and checks the URL, without accessing the store. */
  readonly checkStore: () => Promise<void>
  /** Opens the store, passes its driver to `work`, and closes it in any case. */
  readonly withStore: <T>(
    work: (driver: ChunkedBackupDriver) => Promise<T>,
    settings?: StoreSettings,
  ) => Promise<T>
  /** Does the same with the store of other options. */
  readonly withStoreOf: <T>(
    options: GlobalOptions,
    work: (driver: ChunkedBackupDriver) => Promise<T>,
    settings?: StoreSettings,
  ) => Promise<T>
}

/** Runs a command's work with a context of its own. */
export type Invoke = (
  globals: GlobalOptions,
  work: (context: CommandContext) => Promise<void>,
) => Promise<void>
