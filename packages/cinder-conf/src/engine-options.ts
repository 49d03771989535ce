import { BackupError, chunkedDriverShape } from '@stowage/backup-core'
import type { ChunkedDriverOptions, Compressor } from '@stowage/backup-core'
import { withoutUndefined } from '@stowage/http'
import { commonFlags, type CinderFlagTable } from './flags.js'

/** The options of a driver with Cinder's flags. */
export interface FlaggedOptions extends ChunkedDriverOptions {
  readonly backupCompressionAlgorithm?: string
}

/**
 * Returns every option that core knows, with those that Cinder has under another name.
 *
 * @throws `OPTION_INVALID` for two values of one option, and for an algorithm whose compressor was not passed
 */
export function engineOptions(options: FlaggedOptions, flags: CinderFlagTable): ChunkedDriverOptions {
  const given: Readonly<Record<string, unknown>> = { ...options }
  const engine: Record<string, unknown> = Object.fromEntries(
    Object.keys(chunkedDriverShape).map((name) => [name, given[name]]),
  )
  for (const [name, { coreOption }] of Object.entries(flags)) {
    if (coreOption === undefined || coreOption === 'compression') continue
    const [own, cinders] = [engine[coreOption], given[name]]
    if (own !== undefined && cinders !== undefined && own !== cinders) {
      throw invalid(
        `${coreOption} and ${name} are the same option, and have different values: set one of them.`,
      )
    }
    engine[coreOption] = own ?? cinders
  }
  engine['compression'] = compressionOf(options)
  if (options.compression) {
    // Stays readable if backupCompressionAlgorithm selects another.
    engine['decompressors'] = [options.compression, ...(options.decompressors ?? [])]
  }
  return withoutUndefined(engine)
}

/** The options of a conf beneath those of the caller, which also override the flag that has another name. */
export function withConf<Options extends object>(
  conf: Options,
  explicit: Options,
  flags: CinderFlagTable,
): Options {
  const given = { ...explicit } as Readonly<Record<string, unknown>>
  const hidden = Object.entries(flags).filter(
    ([, { coreOption }]) => coreOption !== undefined && given[coreOption] !== undefined,
  )
  const without = Object.fromEntries(hidden.map(([name]) => [name, undefined]))
  return { ...withoutUndefined({ ...conf, ...without }), ...explicit }
}

function compressionOf(options: FlaggedOptions): Compressor | undefined {
  const { backupCompressionAlgorithm: algorithm, compression, decompressors = [] } = options
  if (algorithm === undefined) return compression
  const wanted = algorithm.toLowerCase()
  if (['none', 'off', 'no'].includes(wanted)) return undefined
  const candidates = [...(compression ? [compression] : []), ...decompressors]
  const found =
    candidates.find(({ name }) => name === wanted) ??
    // An alias writes the same stream: to Cinder gzip is zlib.
    candidates.find(({ aliases }) => aliases.includes(wanted))
  if (found) return found
  const family = { gzip: 'zlib', bzip2: 'bz2' }[wanted] ?? wanted
  const { flag } = commonFlags.backupCompressionAlgorithm
  throw invalid(
    `backupCompressionAlgorithm (${flag}) is ${algorithm}, and no such compressor is among compression and ` +
      `decompressors: install @stowage/compression-${family} and pass its compressor as compression.`,
  )
}

function invalid(message: string): BackupError {
  return new BackupError('OPTION_INVALID', message)
}
