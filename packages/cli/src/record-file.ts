import type { ExportedRecord } from '@stowage/backup-core'
import { CliError } from './cli-error.js'
import { exitCodes } from './exit-codes.js'

/** An exported record in a file, under the names that `cinder backup-export` prints. */
export interface RecordFile {
  readonly backup_service: string
  readonly backup_url: string
}

export function recordFileOf({ backupService, backupUrl }: ExportedRecord): RecordFile {
  return { backup_service: backupService, backup_url: backupUrl }
}

/**
 * Parses a record file. The engine checks the record itself.
 *
 * @throws CliError `RECORD_INVALID`
 */
export function parseRecordFile(text: string, origin: string): ExportedRecord {
  const value = parseJson(text, origin)
  if (typeof value === 'object' && value !== null) {
    const { backup_service: backupService, backup_url: backupUrl } = value as Partial<RecordFile>
    if (typeof backupService === 'string' && typeof backupUrl === 'string') {
      return { backupService, backupUrl }
    }
  }
  throw invalid(`${origin} is not a backup record: it needs the strings backup_service and backup_url.`)
}

function parseJson(text: string, origin: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw invalid(`${origin} is not JSON.`, cause)
  }
}

function invalid(message: string, cause?: unknown): CliError {
  return new CliError('RECORD_INVALID', message, {
    exitCode: exitCodes.corrupt,
    hint: 'stowage export writes such a file.',
    cause,
  })
}
