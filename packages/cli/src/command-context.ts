import type { ChunkedBackupDriver, Compressor } from '@stowage/backup-core'
import type { CliIo } from './io.js'
import type { GlobalOptions } from './options/global-options.js'
import type { Output } from './output/output.js'

/** What a driver is told beside what the global options say. */
export interface StoreSettings {
  readonly chunkSizeBytes?: number
  readonly blockSizeBytes?: number
  readonly joinGapBytes?: number
  readonly compression?: Compressor
  /** Makes the store if there is none. @default false */
  readonly create?: boolean
}

/** What a command's work is done with. */
export interface CommandContext {
  readonly io: CliIo
  readonly output: Output
  readonly signal: AbortSignal
  readonly globals: GlobalOptions
  /** Opens the store, hands over its driver, and closes it whatever happens. */
  readonly withStore: <T>(
    work: (driver: ChunkedBackupDriver) => Promise<T>,
    settings?: StoreSettings,
  ) => Promise<T>
}

/** Runs a command's work with a context of its own. */
export type Invoke = (
  globals: GlobalOptions,
  work: (context: CommandContext) => Promise<void>,
) => Promise<void>
