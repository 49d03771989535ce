import { BackupError } from '../errors/backup-error.js'
import type { Manifest } from '../format/manifest.js'
import { sha256fileObjectName } from '../format/object-names.js'
import { parseSha256file, type Sha256file } from '../format/sha256file.js'
import { isStoredFault, type BackupLocation, type StoreAccess } from '../store/access.js'
import { manifestDamaged, type Chain, type ChainContext } from './chain.js'
import { chainSizeByManifest, endOfObjects } from './volume-size.js'

/** The size of the newest volume of a chain, and its block hashes where they were read. */
export interface VolumeInfo {
  readonly sizeBytes: number
  readonly sha256file?: Sha256file
  /** Why the block hashes cannot be used. */
  readonly fault?: BackupError
  /** Whether there are hashes of blocks that no manifest has data for: a sign that one of them lost objects. */
  readonly listIsLonger?: true
}

/** Reads the block hashes of a backup. */
export function readSha256file(
  access: StoreAccess,
  { container, prefix }: BackupLocation,
): Promise<Sha256file> {
  const objectName = sha256fileObjectName(prefix)
  const read = (pieces: AsyncIterable<Uint8Array>): Promise<Sha256file> =>
    parseSha256file(pieces, { container, objectName })
  return access.stream(container, objectName, read)
}

/**
 * Reads the block hashes of the newest backup of a chain, and from them the exact size of its volume. Hashes that are
 * missing or damaged are a `fault` of the result: the manifests have the size as well, and every object has its MD5.
 *
 * @throws BackupError `METADATA_INVALID` where a manifest is damaged
 */
export async function readVolumeInfo({ access, chain, onWarning }: ChainContext): Promise<VolumeInfo> {
  const { record } = chain[0]
  const objectName = sha256fileObjectName(record.prefix)
  try {
    const sha256file = await readSha256file(access, record)
    const { kind, message, sizeBytes, ...found } = checkHashList(chain, sha256file)
    if (kind === 'damaged') {
      const fault = new BackupError('METADATA_INVALID', `${message}.`, { backupId: record.id, objectName })
      return { sizeBytes, fault, ...found }
    }
    if (kind === 'shrunk') onWarning({ code: 'VOLUME_SHRANK', message, backupId: record.id })
    return { sizeBytes, sha256file }
  } catch (error) {
    // The error may be about a manifest.
    if (!isStoredFault(error) || (error.details.objectName ?? objectName) !== objectName) throw error
    return { sizeBytes: chainSizeByManifest(chain), fault: error }
  }
}

/** As {@link readVolumeInfo}, and warns of block hashes that cannot be used. */
export async function readVolumeInfoOrWarn(job: ChainContext): Promise<VolumeInfo> {
  const volume = await readVolumeInfo(job)
  const backupId = job.chain[0].record.id
  if (volume.fault) {
    const message = `The block hashes of backup ${backupId} cannot be used; its objects are verified by their MD5s. ${volume.fault.message}`
    job.onWarning({ code: 'HASH_LIST_UNREADABLE', message, backupId })
  }
  return volume
}

/** Every block size that is in use is a multiple of this. */
const SECTOR_BYTES = 512

/** The result of {@link checkHashList}. */
export interface HashListFinding {
  /**
   * `agrees`: there is one hash for each block of the volume. `shrunk`: the same, of a volume that had shrunk, which
   * Cinder's manifests do not state. `damaged`: the size is that of the manifests, and the hashes cannot be used.
   */
  readonly kind: 'agrees' | 'shrunk' | 'damaged'
  readonly sizeBytes: number
  /** Empty where it agrees. */
  readonly message: string
  /** Whether there are more hashes than the manifests have data for. */
  readonly listIsLonger?: true
}

/**
 * Checks block hashes against the manifests of their chain: there is one hash for each block of the volume, and the objects
 * begin and end where blocks do.
 *
 * Where the two contradict each other, one of them is damaged, and never a manifest with a checksum. Without one, the more
 * likely damage counts: a wrong block size misplaces most objects and is an odd number, a wrong offset misplaces one object.
 *
 * @throws BackupError `METADATA_INVALID` where a manifest is damaged
 */
export function checkHashList(chain: Chain, { header, hashes }: Sha256file): HashListFinding {
  const { blockSizeBytes } = header
  const [newest] = chain
  const { id, prefix } = newest.record
  const objectName = sha256fileObjectName(prefix)
  const sizeBytes = chainSizeByManifest(chain)
  const damaged = (why: string): HashListFinding => ({
    ...{ kind: 'damaged', sizeBytes },
    message: `${objectName} does not match the manifests: ${why}`,
  })
  if (header.backupId !== id) return damaged(`it is of backup ${header.backupId}`)
  if (isBlockSizeWrong(chain, blockSizeBytes))
    return damaged(`its blocks of ${blockSizeBytes} bytes (\`chunk_size\`) are not those of the objects`)
  const expected = Math.ceil(sizeBytes / blockSizeBytes)
  const endBytes = hashes.length * blockSizeBytes
  const counts = `it has ${hashes.length} hashes, but the volume of ${sizeBytes} bytes has ${expected} blocks`
  if (hashes.length <= expected && mayHaveShrunk(newest.manifest, endBytes)) {
    const shrunkBytes = sizeByBlocks(chain, endBytes, blockSizeBytes)
    // An object that ends within the last block shows where the volume ended.
    if (hashes.length === expected || shrunkBytes % blockSizeBytes !== 0) return agrees(shrunkBytes)
    return {
      ...{ kind: 'shrunk', sizeBytes: shrunkBytes },
      message: `The volume of backup ${id} is taken to have shrunk to ${shrunkBytes} bytes by ${objectName} (${counts}), since Cinder does not store the size. If the volume never shrank, that object is damaged and the volume is larger.`,
    }
  }
  if (hashes.length === expected) return agrees(sizeBytes)
  if (hashes.length < expected) return damaged(counts)
  if (!newest.manifest.parentIdMissing) return { ...damaged(counts), listIsLonger: true }
  const what = `it has no \`parent_id\` and objects for ${sizeBytes} bytes, but ${hashes.length} blocks of ${blockSizeBytes} bytes were hashed`
  throw manifestDamaged(newest, undefined, what)
}

function agrees(sizeBytes: number): HashListFinding {
  return { kind: 'agrees', sizeBytes, message: '' }
}

/** Whether most objects contradict the block size. A few that do are damaged themselves: that is thrown. */
function isBlockSizeWrong(chain: Chain, blockSizeBytes: number): boolean {
  let placed = 0
  let misplaced = 0
  let firstError: BackupError | undefined
  for (const layer of chain) {
    const { objects, checksummed } = layer.manifest
    const last = objects.length - 1
    for (const [index, object] of objects.entries()) {
      const { name, offsetBytes, lengthBytes } = object
      if (offsetBytes === 0 && index === last) continue
      placed += 1
      // Only an object at the end of its volume may end within a block.
      const endsWell = index === last || lengthBytes % blockSizeBytes === 0
      if (offsetBytes % blockSizeBytes === 0 && endsWell) continue
      if (checksummed) return true
      misplaced += 1
      const what = `${name} (${lengthBytes} bytes at ${offsetBytes}) does not begin and end at blocks of ${blockSizeBytes} bytes`
      firstError ??= manifestDamaged(layer, object, what)
    }
  }
  if (!firstError) return false
  if ((placed > 1 && misplaced * 2 > placed) || blockSizeBytes % SECTOR_BYTES !== 0) return true
  throw firstError
}

/** Only Cinder's backups leave it open, and only where nothing that they stored is past the end. */
function mayHaveShrunk(manifest: Manifest, endBytes: number): boolean {
  const { parentId, volumeSizeBytes, checksummed } = manifest
  return parentId !== null && volumeSizeBytes === null && !checksummed && endOfObjects(manifest) <= endBytes
}

/**
 * The exact size, from the end of the last block. The newest layer that stored the last block stored it to the volume's end
 * as it was then and, since the block has not changed, as it is now.
 */
function sizeByBlocks(chain: Chain, endBytes: number, blockSizeBytes: number): number {
  const lastBlockStart = Math.max(0, endBytes - blockSizeBytes)
  for (const { manifest } of chain) {
    const covering = manifest.objects.filter(
      ({ offsetBytes, lengthBytes }) =>
        offsetBytes <= lastBlockStart && offsetBytes + lengthBytes > lastBlockStart,
    )
    if (covering.length > 0) return Math.min(endBytes, endOfObjects({ ...manifest, objects: covering }))
  }
  return endBytes
}
