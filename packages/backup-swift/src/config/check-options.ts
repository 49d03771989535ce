import { BackupError } from '@stowage/backup-core'
import type { CinderFlag } from './cinder-flags.js'
import { cinderFlags } from './cinder-flags.js'
import type { SwiftDriverOptions } from './options.js'

const positiveNumbers = [
  'retryMaxBackoffSeconds',
  'retryDeadlineSeconds',
  'connectTimeoutSeconds',
  'headersTimeoutSeconds',
  'bodyTimeoutSeconds',
  'claimSettleSeconds',
  'minBytesPerSecond',
  'progressWindowSeconds',
  'exchangeTimeoutSeconds',
] as const satisfies readonly (keyof SwiftDriverOptions)[]

/**
 * Checks every option for its kind: what comes from a configuration file or from plain JavaScript has no types.
 *
 * @throws `OPTION_INVALID`
 */
export function checkTypes(options: SwiftDriverOptions): void {
  const values: Readonly<Record<string, unknown>> = { ...options }
  for (const flag of cinderFlags) checkFlag(flag, values[flag.option])
  for (const name of positiveNumbers) {
    const value = values[name]
    if (value !== undefined && !(typeof value === 'number' && Number.isFinite(value) && value > 0)) {
      throw invalid(`${name} has to be a number above 0.`)
    }
  }
  if (options.search !== undefined && !['account', 'container'].includes(options.search)) {
    throw invalid('search has to be account or container.')
  }
  if ((options.clientCertFile === undefined) !== (options.clientKeyFile === undefined)) {
    throw invalid('clientCertFile and clientKeyFile are needed together.')
  }
}

function checkFlag(flag: CinderFlag, value: unknown): void {
  if (value === undefined) return
  const name = `${flag.option} (${flag.flag})`
  if (flag.type === 'integer') {
    // A wait of zero, and no retry at all, are choices; a size of zero is none.
    const least = flag.unit === 'bytes' ? 1 : 0
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
      // A wait may be a fraction of a second.
      if (flag.unit === 'seconds' && typeof value === 'number' && Number.isFinite(value) && value >= 0) return
      throw invalid(`${name} has to be a whole number, at least ${least}.`)
    }
    return
  }
  if (flag.type === 'boolean') {
    if (typeof value !== 'boolean') throw invalid(`${name} has to be true or false.`)
    return
  }
  if (typeof value !== 'string' || value === '') throw invalid(`${name} has to be a text, and not empty.`)
  if (flag.choices && !flag.choices.includes(value)) {
    throw invalid(`${name} has to be one of ${flag.choices.join(', ')}.`)
  }
}

function invalid(message: string): BackupError {
  return new BackupError('OPTION_INVALID', message)
}
