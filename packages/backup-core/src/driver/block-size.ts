import { BackupError } from '../errors/backup-error.js'

/** The smallest sector of a disk. */
const MIN_BLOCK_SIZE_BYTES = 512

/** The largest block that a backup writes. A parent may have larger ones: what is stored is read. */
export const MAX_BLOCK_SIZE_BYTES = 64 * 1024 * 1024

/** A SHA-256 in a `_sha256file`, with its quotes and white space. */
const HASH_TEXT_BYTES = 75

/** What a driver was told, and what it would take by itself. */
export interface BlockSizeChoice {
  readonly blockSizeBytes: number
  /** The driver's own: Cinder's default, or what a `cinder.conf` says. */
  readonly defaultBytes: number
  /** Whatever Cinder takes within the bounds is taken. */
  readonly strict: boolean
}

/**
 * Refuses a block size that no backup should be written with.
 *
 * @throws BackupError `OPTION_INVALID`, with the reason
 */
export function assertBlockSize({ blockSizeBytes, defaultBytes, strict }: BlockSizeChoice): void {
  if (!Number.isSafeInteger(blockSizeBytes)) {
    throw refused(blockSizeBytes, 'it must be a whole number of bytes')
  }
  if (blockSizeBytes < MIN_BLOCK_SIZE_BYTES) {
    throw refused(
      blockSizeBytes,
      `it must be at least ${MIN_BLOCK_SIZE_BYTES}, the sector of a disk. Each block takes ${HASH_TEXT_BYTES} bytes in the list of hashes that is stored with every backup, so smaller blocks cost more than they save`,
    )
  }
  if (blockSizeBytes > MAX_BLOCK_SIZE_BYTES) {
    throw refused(
      blockSizeBytes,
      `it must be at most ${MAX_BLOCK_SIZE_BYTES} (64 MiB). A block is held in memory whole, and a change of one byte stores all of it`,
    )
  }
  const isPowerOfTwo = (blockSizeBytes & (blockSizeBytes - 1)) === 0
  if (!isPowerOfTwo && !strict && blockSizeBytes !== defaultBytes) {
    throw refused(
      blockSizeBytes,
      "it must be a power of two, such as 32768. Sectors and pages are powers of two, and other blocks split them. To continue a chain of Cinder's with other blocks, leave blockSizeBytes out: an incremental takes those of its parent",
    )
  }
}

function refused(blockSizeBytes: number, why: string): BackupError {
  return new BackupError('OPTION_INVALID', `Option blockSizeBytes is ${String(blockSizeBytes)}: ${why}.`)
}
