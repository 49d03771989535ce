import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import { isBackupError, type BackupError } from '../errors/backup-error.js'
import { sha256fileObjectName } from '../format/object-names.js'
import type { WarningListener } from '../progress/progress.js'
import type { Chain } from './chain-layer.js'
import { checkHashList, type HashListFinding } from './hash-list-check.js'
import { chainSizeByManifest, readBlockHashes, type BlockHashes } from './volume-size.js'

/** The size of the newest volume of a chain, and its block hashes where they were read for it and can be trusted. */
export interface MeasuredVolume {
  readonly sizeBytes: number
  readonly blocks?: BlockHashes
  /** Whether the hash list was found to be lost or damaged, which was reported. */
  readonly listUnusable?: true
  /** Whether the hash list has blocks that no manifest has data for: a sign that one of them lost objects. */
  readonly listIsLonger?: true
}

/** Where to read, and whom to warn. */
export interface MeasureOptions extends StoreOptions {
  readonly onWarning: WarningListener
}

/**
 * Whether the newest manifest states the size, with a checksum. The hash list of any other is read, so that a manifest
 * that lost objects, or a size that changed, is noticed.
 */
export function statesSize(chain: Chain): boolean {
  const { checksummed, volumeSizeBytes } = chain[0].metadata
  return checksummed && volumeSizeBytes !== null
}

/**
 * The exact size of the newest volume of a chain. A hash list that is lost or damaged costs a warning: the manifests have
 * the size, and every object has its MD5.
 *
 * @throws BackupError `METADATA_INVALID` where a manifest is damaged
 */
export async function measureVolume(
  store: ObjectStore,
  chain: Chain,
  options: MeasureOptions,
): Promise<MeasuredVolume> {
  if (statesSize(chain)) return { sizeBytes: chainSizeByManifest(chain) }
  const { blocks, finding } = await readHashList(store, chain, options)
  if (!blocks || !finding) {
    return {
      sizeBytes: chainSizeByManifest(chain),
      listUnusable: true,
      ...(finding?.isLonger ? { listIsLonger: true } : {}),
    }
  }
  if (finding.kind === 'shrunk') {
    options.onWarning({
      code: 'VOLUME_SHRANK',
      message: finding.message,
      backupId: chain[0].record.id,
    })
  }
  return { sizeBytes: finding.sizeBytes, blocks }
}

/** Reads the newest hash list and checks it against the manifests. No blocks, after a warning, where it is of no use. */
export async function readHashList(
  store: ObjectStore,
  chain: Chain,
  { onWarning, ...options }: MeasureOptions,
): Promise<{ readonly blocks?: BlockHashes; readonly finding?: HashListFinding }> {
  const { record } = chain[0]
  let why: string
  let finding: HashListFinding | undefined
  try {
    const blocks = await readBlockHashes(store, record, options)
    finding = checkHashList(chain, blocks)
    if (finding.kind !== 'damaged') return { blocks, finding }
    why = `${finding.message}.`
  } catch (error) {
    if (!isListFault(error, sha256fileObjectName(record.prefix))) throw error
    why = error.message
  }
  onWarning({
    code: 'HASH_LIST_UNREADABLE',
    message: `The block hashes of backup ${record.id} cannot be used; its objects have checksums of their own. ${why}`,
    backupId: record.id,
  })
  return finding ? { finding } : {}
}

/** Whether an error is a fault of the hash list itself, and not of the way to it or of a manifest. */
function isListFault(error: unknown, objectName: string): error is BackupError {
  const isFault =
    isBackupError(error, 'OBJECT_MISSING') ||
    isBackupError(error, 'OBJECT_CORRUPT') ||
    isBackupError(error, 'OBJECT_TOO_LARGE') ||
    isBackupError(error, 'NOT_A_FILE') ||
    isBackupError(error, 'METADATA_INVALID') ||
    isBackupError(error, 'VERSION_UNSUPPORTED')
  return isFault && (error.details.objectName === undefined || error.details.objectName === objectName)
}
