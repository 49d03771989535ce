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
  throw invalid(
    `Cannot import ${origin}: it is not a backup record, which has the strings backup_service and backup_url.`,
  )
}

function parseJson(text: string, origin: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw invalid(`Cannot import ${origin}: it is not valid JSON.`, cause)
  }
}

function invalid(message: string, cause?: unknown): CliError {
  return new CliError('RECORD_INVALID', message, {
    exitCode: exitCodes.corrupt,
    hint: 'Name a file that stowage export or cinder backup-export wrote.',
    cause,
  })
}
