import type { GlobalOptions } from './global-options.js'

/** Options of `stowage backup`. */
export interface BackupCommandOptions extends GlobalOptions {
  readonly volumeId?: string
  readonly backupId?: string
  readonly incremental?: boolean
  readonly parent?: string
  readonly compression?: string
  readonly chunkSize?: number
  readonly blockSize?: number
  readonly joinGap?: number
  readonly holes?: 'skip' | 'read'
  /** The size that the source must have, in bytes. */
  readonly size?: number
  readonly stdinFromCommand?: boolean
  readonly allowEmpty?: boolean
  readonly allowShrink?: boolean
  readonly name?: string
  readonly description?: string
  readonly container?: string
  readonly create?: boolean
}
