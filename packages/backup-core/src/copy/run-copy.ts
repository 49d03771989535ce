import { signalOptions } from '../contracts/object-store.js'
import type { BackupRecord } from '../contracts/records.js'
import type { CopiedBackup, CopyOptions, CopyResult } from '../contracts/requests.js'
import { BackupError } from '../errors/backup-error.js'
import { messageOf } from '../errors/error-mapper.js'
import { ProgressMeter } from '../pipeline/progress-meter.js'
import { copyOneBackup, type CopyOutcome } from './copy-backup.js'
import type { CopyDeps, MissingBackup } from './copy-job.js'
import { planCopy } from './plan-copy.js'

/**
 * Copies a chain: the full backup first, and each incremental once its parent is committed. What the destination has already
 * is left as it is.
 *
 * @param records - the chain in the source, newest first
 */
export async function runCopy(
  deps: CopyDeps,
  records: readonly BackupRecord[],
  { container, verify = true, signal, onProgress }: CopyOptions,
): Promise<CopyResult> {
  const plan = await planCopy(deps, records, container ?? null, signalOptions(signal))
  const missing = plan.filter((backup): backup is MissingBackup => 'layer' in backup)
  const totalBytes = missing.reduce((sum, { layer }) => sum + volumeBytes(layer.manifest.objects), 0)
  const meter = new ProgressMeter('copy', totalBytes, onProgress)
  const backups: CopiedBackup[] = []
  let parent: BackupRecord | null = null
  for (const backup of plan) {
    let copied: CopyOutcome
    if ('present' in backup) {
      const counts = { objectsCopied: 0, objectsKept: backup.present.objectCount, transferredBytes: 0 }
      copied = { record: backup.present, outcome: 'present', ...counts }
    } else {
      copied = await copyOneBackup(deps, backup, parent, { signal, verify, meter })
      await addToCatalog(deps, copied.record)
    }
    backups.push(copied)
    parent = copied.record
  }
  meter.finish()
  return { backups }
}

function volumeBytes(objects: readonly { readonly lengthBytes: number }[]): number {
  return objects.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)
}

async function addToCatalog({ catalog }: CopyDeps, record: BackupRecord): Promise<void> {
  try {
    await catalog.put(record)
  } catch (cause) {
    throw new BackupError(
      'STORE_FAILED',
      `The copy of backup ${record.id} is complete, but could not be entered into the catalog: ${messageOf(cause)}. Copy it again when the catalog is available.`,
      { backupId: record.id, cause },
    )
  }
}
