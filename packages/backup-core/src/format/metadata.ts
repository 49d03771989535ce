import type { ExtraMetadata } from '../contracts/records.js'

/** A stored piece of the volume. */
export interface StoredObject {
  readonly name: string
  /** Where in the volume its first byte belongs. */
  readonly offsetBytes: number
  /** Its length in the volume: what it decompresses to. */
  readonly lengthBytes: number
  /** The word for how it is compressed, in lower case: `none`, `zlib`, … */
  readonly compression: string
  /** The MD5 of the raw bytes in lower-case hex; null where whoever wrote it gave none. */
  readonly md5: string | null
}

/** What a backup took of the store, and how it was cut. Only Stowage writes it, all of it or nothing. */
export interface StatedSizes {
  /** The most bytes of the volume in one object that the backup was made with. */
  readonly chunkSizeBytes: number
  /** The size at which changes were found. */
  readonly blockSizeBytes: number
  /** The chunk objects as stored, after compression. */
  readonly storedDataBytes: number
  /** The `_sha256file` object. */
  readonly sha256fileBytes: number
}

/** What a backup's `_metadata` object holds. */
export interface BackupMetadata {
  readonly version: string
  readonly backupId: string
  readonly volumeId: string
  readonly backupName: string | null
  readonly backupDescription: string | null
  /** `2026-01-01 00:00:00+00:00`, or whatever else Python's `str(datetime)` gave. */
  readonly createdAt: string
  /** Null for a full backup. */
  readonly parentId: string | null
  /** Set where the text has no `parent_id` at all: backups from before Cinder had incrementals, or a damaged key. */
  readonly parentIdMissing?: true
  /** The parent's prefix, which tells it from another backup of its id. Only Stowage writes it. */
  readonly parentPrefix?: string
  /**
   * The ids of all that an incremental stands on, its parent first, down to the full backup. Only Stowage writes it: a
   * further incremental sees by names alone that they are there. Absent where there are very many of them.
   */
  readonly ancestorIds?: readonly string[]
  /** A string that holds JSON: what Cinder knows of the volume. */
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
   * Whether the text carries a checksum of itself: what was read is what was written. Stowage writes one; Cinder and
   * earlier versions of Stowage do not.
   */
  readonly checksummed: boolean
}

/** A record stays small whatever a manifest says. */
const MAX_COMPRESSIONS = 16

/** The compressions of some objects, by their words, in alphabetical order. */
export function compressionsOf(objects: readonly StoredObject[]): string[] {
  const words = new Set<string>()
  for (const { compression } of objects) {
    if (words.size < MAX_COMPRESSIONS) words.add(compression)
  }
  return [...words].sort()
}
