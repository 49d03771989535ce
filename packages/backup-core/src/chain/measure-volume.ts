import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import { isBackupError, type BackupError } from '../errors/backup-error.js'
import { sha256fileObjectName } from '../format/object-names.js'
import type { WarningListener } from '../contracts/progress.js'
import type { Chain, ChainLayer } from './chain.js'
import { chainSizeByManifest, readBlockHashes, type BlockHashes } from './volume-size.js'
import type { HashList } from '../format/hash-list.js'
import { unsound } from './sound-chain.js'

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

/** Every block size that is in use is a multiple of this. */
const SECTOR_BYTES = 512

/** What a list of block hashes says beside the manifests of its chain. */
export interface HashListFinding {
  /**
   * `agrees`: it has exactly the blocks of the volume. `shrunk`: so it seems, of a volume that had shrunk, which Cinder's
   * manifests do not state. `damaged`: the size is that of the manifests, and the hashes prove nothing.
   */
  readonly kind: 'agrees' | 'shrunk' | 'damaged'
  readonly sizeBytes: number
  /** Empty where it agrees. */
  readonly message: string
  /** Whether it has more blocks than the manifests have data for. */
  readonly isLonger?: true
}

/**
 * Checks a list of block hashes against the manifests of its chain: it has one hash for each block of the volume, and the
 * objects begin and end where blocks do.
 *
 * Where the two contradict each other, one of them is damaged. A manifest with a checksum is not. Of the others the one
 * is blamed that a single damage explains: a wrong block size misplaces most objects and is an odd number, a wrong
 * offset is that of one object.
 *
 * @throws BackupError `METADATA_INVALID` where it is a manifest that is damaged
 */
export function checkHashList(chain: Chain, { header, hashes }: BlockHashes): HashListFinding {
  const { blockSizeBytes } = header
  const sizeBytes = chainSizeByManifest(chain)
  const damaged = (why: string): HashListFinding => ({
    ...{ kind: 'damaged', sizeBytes },
    message: `${sha256fileObjectName(chain[0].record.prefix)} does not fit the backup: ${why}`,
  })
  if (header.backupId !== chain[0].record.id) return damaged(`it is of backup ${header.backupId}`)
  if (isBlockSizeWrong(chain, blockSizeBytes)) {
    return damaged(`its blocks of ${blockSizeBytes} bytes (\`chunk_size\`) are not those of the objects`)
  }
  const expected = Math.ceil(sizeBytes / blockSizeBytes)
  const counts = `it has ${hashes.length} hashes, but the volume of ${sizeBytes} bytes has ${expected} blocks`
  if (hashes.length <= expected && mayHaveShrunk(chain, hashes, blockSizeBytes)) {
    const shrunk = sizeByBlocks(chain, hashes.length * blockSizeBytes, blockSizeBytes)
    // An object that ends within the last block is where the volume ended.
    if (hashes.length === expected || shrunk % blockSizeBytes !== 0) return agrees(shrunk)
    return {
      ...{ kind: 'shrunk', sizeBytes: shrunk },
      message: `The volume of backup ${chain[0].record.id} is taken to have shrunk to ${shrunk} bytes: ${sha256fileObjectName(chain[0].record.prefix)} says so (${counts}), and Cinder does not state sizes elsewhere. If the volume never shrank, that object is damaged and the volume is larger.`,
    }
  }
  if (hashes.length === expected) return agrees(sizeBytes)
  if (hashes.length > expected && chain[0].metadata.parentIdMissing) {
    throw unsound(
      chain[0],
      undefined,
      `it has no \`parent_id\` and objects for ${sizeBytes} bytes, but ${hashes.length} blocks of ${blockSizeBytes} bytes were hashed`,
    )
  }
  return { ...damaged(counts), ...(hashes.length > expected ? { isLonger: true } : {}) }
}

function agrees(sizeBytes: number): HashListFinding {
  return { kind: 'agrees', sizeBytes, message: '' }
}

/** Whether most objects contradict the block size. A few that do are damaged themselves: that is thrown. */
function isBlockSizeWrong(chain: Chain, blockSizeBytes: number): boolean {
  let placed = 0
  let misplaced = 0
  let first: (() => Error) | undefined
  for (const layer of chain) {
    const { objects, checksummed } = layer.metadata
    const last = objects.length - 1
    for (const [index, object] of objects.entries()) {
      const { offsetBytes, lengthBytes } = object
      if (offsetBytes === 0 && index === last) continue
      placed += 1
      // Only an object at the end of its volume may end within a block.
      if (offsetBytes % blockSizeBytes === 0 && (index === last || lengthBytes % blockSizeBytes === 0))
        continue
      if (checksummed) return true
      misplaced += 1
      first ??= () =>
        unsound(
          layer,
          object,
          `${object.name} (${lengthBytes} bytes at ${offsetBytes}) does not begin and end at blocks of ${blockSizeBytes} bytes`,
        )
    }
  }
  if (!first) return false
  if ((placed > 1 && misplaced * 2 > placed) || blockSizeBytes % SECTOR_BYTES !== 0) return true
  throw first()
}

/** Only what Cinder wrote leaves it open, and only where nothing that it stored lies past the end. */
function mayHaveShrunk(chain: Chain, hashes: HashList, blockSizeBytes: number): boolean {
  const { parentId, volumeSizeBytes, objects, checksummed } = chain[0].metadata
  const endBytes = hashes.length * blockSizeBytes
  const isWithin = objects.every(({ offsetBytes, lengthBytes }) => offsetBytes + lengthBytes <= endBytes)
  return parentId !== null && volumeSizeBytes === null && !checksummed && isWithin
}

/**
 * The exact size, from the end of the last block. The newest layer that stored the last block stored it to its end: to
 * the volume's end as it was then and, since the block has not changed, as it is now.
 */
function sizeByBlocks(chain: Chain, endBytes: number, blockSizeBytes: number): number {
  const lastBlockStart = Math.max(0, endBytes - blockSizeBytes)
  for (const layer of chain) {
    const storedEnd = endOver(layer, lastBlockStart)
    if (storedEnd > 0) return Math.min(endBytes, storedEnd)
  }
  return endBytes
}

/** The end of the object that holds a byte; 0 where none does. */
function endOver({ metadata }: ChainLayer, atBytes: number): number {
  let endBytes = 0
  for (const { offsetBytes, lengthBytes } of metadata.objects) {
    const objectEnd = offsetBytes + lengthBytes
    if (offsetBytes <= atBytes && objectEnd > atBytes) endBytes = Math.max(endBytes, objectEnd)
  }
  return endBytes
}
