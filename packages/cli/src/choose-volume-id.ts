import { randomUUID } from 'node:crypto'
import type { BackupRecord } from '@stowage/backup-core'
import { CliError } from './cli-error.js'
import { exitCodes } from './exit-codes.js'
import { volumeIdOfPath } from './volume-id.js'

/** What the volume id of a backup follows from. */
export interface VolumeIdClues {
  readonly volumeId: string | undefined
  readonly parent: BackupRecord | undefined
  readonly realPath: string | undefined
  readonly incremental: boolean
}

/** A volume id, and where it is from; undefined where the caller gave it. */
export interface ChosenVolumeId {
  readonly volumeId: string
  readonly origin: string | undefined
}

/**
 * The volume a backup is of: as given, else the parent's, else the path's own, else (for a stream) a new one.
 *
 * @throws CliError `USAGE` for an incremental of a stream, whose chain nothing but an id can find
 */
export function chooseVolumeId({ volumeId, parent, realPath, incremental }: VolumeIdClues): ChosenVolumeId {
  if (volumeId !== undefined) return { volumeId, origin: undefined }
  if (parent) return { volumeId: parent.volumeId, origin: `the parent's` }
  if (realPath !== undefined) {
    return { volumeId: volumeIdOfPath(realPath), origin: `derived from the path ${realPath}` }
  }
  if (incremental) {
    throw new CliError('USAGE', 'A stream has no path that its earlier backups could be found by.', {
      exitCode: exitCodes.usage,
      hint: 'Add --volume-id ID, the one that its full backup has.',
    })
  }
  return { volumeId: randomUUID(), origin: 'new, since a stream has no path; use it for --incremental' }
}
