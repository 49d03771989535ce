import type { ExtraMetadata } from '../contracts/records.js'

/** A data object: in a full backup a chunk, in an incremental a run of changes. */
export interface StoredObject {
  readonly name: string
  /** The offset of its first byte in the volume. */
  readonly offsetBytes: number
  /** Its length in the volume, after decompression. */
  readonly lengthBytes: number
  /** The name of its compression algorithm, in lower case: `none`, `zlib`, … */
  readonly compression: string
  /** The MD5 of the raw bytes in lower-case hex; null where the manifest has none. */
  readonly md5: string | null
}

/** The stored sizes of a backup, and its chunk and block size. Only Stowage writes them, all or none. */
export interface StatedSizes {
  /** The chunk size that the backup was made with. */
  readonly chunkSizeBytes: number
  /** The granularity of change detection. */
  readonly blockSizeBytes: number
  /** The length of the data objects as stored, after compression. */
  readonly storedDataBytes: number
  /** The `_sha256file` object. */
  readonly sha256fileBytes: number
}

/** The content of a backup's `_metadata` object. */
export interface Manifest {
  readonly version: string
  readonly backupId: string
  readonly volumeId: string
  readonly backupName: string | null
  readonly backupDescription: string | null
  /** `2026-01-01 00:00:00+00:00`, or another result of Python's `str(datetime)`. */
  readonly createdAt: string
  /** Null for a full backup. */
  readonly parentId: string | null
  /** Set where the text has no `parent_id` at all: backups from before Cinder had incrementals, or a damaged key. */
  readonly parentIdMissing?: true
  /** The parent's prefix, which distinguishes it from another backup with its id. Only Stowage writes it. */
  readonly parentPrefix?: string
  /**
   * The ids of an incremental's ancestors, its parent first, down to the full backup. Only Stowage writes it: a further
   * incremental checks by names alone that they exist. Absent for very long chains.
   */
  readonly ancestorIds?: readonly string[]
  /** JSON in a string: Cinder's record of the volume. */
  readonly volumeMeta: string | null
  readonly extraMetadata: ExtraMetadata
  /** In the order they were written. */
  readonly objects: readonly StoredObject[]
  /** The volume's exact size. Only Stowage writes it; null in what Cinder wrote. */
  readonly volumeSizeBytes: number | null
  /** Left out in what Cinder and earlier versions of Stowage wrote. */
  readonly sizes?: StatedSizes
  /** The length of the text, where it was read from a store. */
  readonly textBytes?: number
  /**
   * Whether the text contains a checksum of itself, which was verified. Stowage writes one; Cinder and earlier versions of
   * Stowage do not.
   */
  readonly checksummed: boolean
}

/** Keeps a record small for any manifest. */
const MAX_COMPRESSIONS = 16

/** The names of the compression algorithms of some objects, in alphabetical order. */
export function compressionsOf(objects: readonly StoredObject[]): string[] {
  const words = new Set<string>()
  for (const { compression } of objects) {
    if (words.size < MAX_COMPRESSIONS) words.add(compression)
  }
  return [...words].sort()
}
