/** What a backup's `_sha256file` object holds beside the hashes. */
export interface Sha256fileHeader {
  readonly backupId: string
  readonly volumeId: string
  readonly backupName: string | null
  readonly backupDescription: string | null
  /** `2026-01-01 00:00:00+00:00` */
  readonly createdAt: string
  /** Bytes of the volume to a hash; the last block may be shorter. The object calls it `chunk_size`. */
  readonly blockSizeBytes: number
}
