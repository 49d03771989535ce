import { randomUUID } from 'node:crypto'
import type { BackupRecord } from '@stowage/backup-core'
import { CliError } from './cli-error.js'
import { exitCodes } from './exit-codes.js'
import { volumeIdOfPath } from './volume-id.js'

/** What the volume id of a backup is derived from. */
export interface VolumeIdClues {
  readonly volumeId: string | undefined
  readonly parent: BackupRecord | undefined
  readonly realPath: string | undefined
  readonly incremental: boolean
}

/** A volume id and its origin; undefined where the user named it. */
export interface ChosenVolumeId {
  readonly volumeId: string
  readonly origin: string | undefined
}

/**
 * The volume id of a backup: the given one, else the parent's, else that of the path, else (for a stream) a new one.
 *
 * @throws CliError `USAGE` for an incremental of a stream without a volume id, which alone identifies its chain
 */
export function chooseVolumeId({ volumeId, parent, realPath, incremental }: VolumeIdClues): ChosenVolumeId {
  if (volumeId !== undefined) return { volumeId, origin: undefined }
  if (parent) return { volumeId: parent.volumeId, origin: `the parent's` }
  if (realPath !== undefined) {
    return { volumeId: volumeIdOfPath(realPath), origin: `derived from the path ${realPath}` }
  }
  if (incremental) {
    throw new CliError(
      'USAGE',
      'Cannot make an incremental of a stream: it has no path, from which the volume id is derived.',
      {
        exitCode: exitCodes.usage,
        hint: 'Add --volume-id ID, that of its full backup.',
      },
    )
  }
  return { volumeId: randomUUID(), origin: 'new, since a stream has no path; use it for --incremental' }
}
